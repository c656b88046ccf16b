import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { pickleEntries } from "../../../runtime/files/pt/pickle-writer.ts";
import { zipStored } from "../../../runtime/files/pt/zip-writer.ts";
import { writePt, type EntryToWrite } from "../../../runtime/files/index.ts";
import { sizes } from "../../init/clips.ts";
import { textWidths } from "../../init/model-config.ts";
import { bytesOf, replace, type BrokenInput } from "./broken-input.ts";

/** Neither the first sample nor the last: one that is not looked at more closely than the others. */
const [latents, masks, text] = ["latents", "mask_latents", "conditions"].map(
  (folder) => `data/${folder}/clip_5.pt`,
) as [string, string, string];

const tensor = (shape: readonly number[], value = 0.5): EntryToWrite => ({
  storage: "bfloat16",
  shape,
  values: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});

const { channels, frames, height, width } = sizes;

const video = (shape: readonly number[], value?: number) => {
  const [, f = 1, h = 1, w = 1] = shape;
  return { latents: tensor(shape, value), num_frames: f, height: h, width: w, fps: { float: 24 } };
};

const captions = (tokens: number, ofVideo: number = textWidths.video, value?: number) => ({
  video_prompt_embeds: tensor([tokens, ofVideo], value),
  audio_prompt_embeds: tensor([tokens, textWidths.audio]),
  prompt_attention_mask: { storage: "int64", shape: [tokens], values: new Float32Array(tokens).fill(1) } as const,
});

const pt = (file: string, entries: Readonly<Record<string, EntryToWrite>>) => (cwd: string) =>
  writePt(join(cwd, file), entries);

const sound = [channels, frames, height, width];

/** A file whose pickle speaks of more numbers than its storage has. */
const shortStorage = (cwd: string) => {
  const archive = zipStored([
    { name: "archive/data.pkl", data: pickleEntries(video(sound)) },
    { name: "archive/data/0", data: Buffer.alloc(40) },
    { name: "archive/version", data: Buffer.from("3\n") },
  ]);
  return writeFile(join(cwd, latents), Buffer.concat(archive));
};

const instead = (file: string, content: string | Buffer) => (cwd: string) => writeFile(join(cwd, file), content);

const replaced = (file: string, make: (path: string) => Promise<unknown>) => async (cwd: string) => {
  await rm(join(cwd, file), { recursive: true });
  await make(join(cwd, file));
};

/** Whatever of a project's data can be wrong. */
export const brokenData: readonly BrokenInput[] = [
  { name: "latents cut in half", arrange: bytesOf(latents, (bytes) => bytes.subarray(0, bytes.length / 2)) },
  { name: "captions without their last bytes", arrange: bytesOf(text, (bytes) => bytes.subarray(0, -10)) },
  { name: "an empty file", arrange: instead(latents, "") },
  { name: "a storage shorter than its description", arrange: shortStorage, isMetLater: true },
  {
    name: "a flipped bit",
    isMetLater: true,
    arrange: bytesOf(latents, (bytes) => {
      const at = bytes.indexOf("archive/data/0") + 600;
      bytes[at] = (bytes[at] ?? 0) ^ 4;
      return bytes;
    }),
  },
  { name: "latents of other channels", arrange: pt(latents, video([channels + 1, frames, height, width])) },
  { name: "latents with a batch's axis", arrange: pt(latents, video([1, ...sound])) },
  { name: "latents whose count of frames is another", arrange: pt(latents, { ...video(sound), num_frames: 9 }) },
  { name: "latents under another name", arrange: pt(latents, { video: tensor(sound) }) },
  { name: "latents that are not numbers", arrange: pt(latents, video(sound, NaN)), isMetLater: true },
  {
    name: "captions that are infinite",
    arrange: pt(text, captions(sizes.textTokens, undefined, Infinity)),
    isMetLater: true,
  },
  { name: "a mask of another size", arrange: pt(masks, video([channels, frames, height + 2, width])) },
  { name: "captions of another width", arrange: pt(text, captions(sizes.textTokens, textWidths.video + 8)) },
  { name: "captions of a length the connectors refuse", arrange: pt(text, captions(77)) },
  { name: "captions of the file's audio alone", arrange: pt(text, { audio_prompt_embeds: tensor([128, 16]) }) },
  {
    name: "a Git LFS pointer",
    arrange: instead(latents, `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 9\n`),
  },
  { name: "a web page", arrange: instead(text, "<!DOCTYPE html><html><body>Sign in</body></html>") },
  { name: "a pipe in a file's place", arrange: replaced(latents, async (path) => execFileSync("mkfifo", [path])) },
  { name: "a link to nothing", arrange: replaced(latents, (path) => symlink("nowhere.pt", path)) },
  { name: "a link out of the data", arrange: replaced(latents, (path) => symlink("/etc/hostname", path)) },
  { name: "no folder of masks", arrange: (cwd) => rm(join(cwd, "data/mask_latents"), { recursive: true }) },
  { name: "an empty folder of captions", arrange: replaced("data/conditions", (path) => mkdir(path)) },
  { name: "no data at all", arrange: (cwd) => rename(join(cwd, "data"), join(cwd, "elsewhere")) },
  { name: "a file where the data should be", arrange: replaced("data", (path) => writeFile(path, "")) },
  {
    name: "samples with other names in each folder",
    arrange: async (cwd) => {
      await rm(join(cwd, "data/latents"), { recursive: true });
      await mkdir(join(cwd, "data/latents"));
      await writePt(join(cwd, "data/latents/other.pt"), video(sound));
    },
  },
  { name: "fewer samples than a batch holds", arrange: replace("train.yaml", /batch_size: \d+/, "batch_size: 9") },
];
