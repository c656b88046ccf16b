import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { writePt, writeSafetensors } from "../../runtime/files/index.ts";
import { findFfmpeg } from "../../runtime/media/ffmpeg.ts";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import { tinyDiffusionVae, writeTinyVae } from "../../runtime/testing/tiny-vae.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite("ltxc decode");
const newFolder = temporaryFolders(test, "decode");
const ffmpeg = findFfmpeg();
if (ffmpeg === null) console.log("ltxc decode: no ffmpeg here, so nothing that writes a video is tested");
const PATH = process.env["PATH"] ?? "";

const shape = (frames: number, channels = 8) => [channels, frames, 1, 2];
const valuesOf = (sizes: readonly number[]) =>
  Float32Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) => 2 * Math.sin(0.7 * i + Math.floor(i / 2)));

function latents(path: string, frames: number, { channels = 8, fps = 12 } = {}): Promise<void> {
  const sizes = shape(frames, channels);
  return writePt(path, {
    latents: { storage: "float32", shape: sizes, values: valuesOf(sizes) },
    num_frames: frames,
    height: 1,
    width: 2,
    fps: { float: fps },
  });
}

async function folder(): Promise<string> {
  const cwd = await newFolder();
  await writeTinyVae(join(cwd, "vae.safetensors"));
  return cwd;
}

const decode = (cwd: string, args: readonly string[], path = PATH) =>
  ltxc(["decode", ...args, "--vae", "vae.safetensors", "--engine", "wasm"], { cwd, env: { PATH: path } });

/** Width, height and RGB bytes of a picture. */
async function readPng(path: string): Promise<{ width: number; height: number; pixels: Buffer }> {
  const png = await readFile(path);
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  assert.equal([png[24], png[25]], [8, 2]);
  const rows = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)));
  const lines = Array.from({ length: height }, (_, y) =>
    rows.subarray(y * (3 * width + 1) + 1, (y + 1) * (3 * width + 1)),
  );
  return { width, height, pixels: Buffer.concat(lines) };
}

/** All frames of a video, one after another. */
function framesOf(path: string): Buffer {
  const args = ["-v", "error", "-i", `file:${path}`, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"];
  const { stdout, status } = spawnSync(ffmpeg ?? "", args, { maxBuffer: 2 ** 28 });
  assert.is(status, 0);
  return stdout;
}

test("one frame becomes a picture without ffmpeg; a clip says what is missing", async () => {
  const cwd = await folder();
  await mkdir(join(cwd, "latents/more"), { recursive: true });
  await latents(join(cwd, "latents/still.pt"), 1);
  await latents(join(cwd, "latents/more/clip.pt"), 2);
  const { code, out, err } = await decode(cwd, ["latents"], "");
  assert.is(code, 1);
  assert.match(out, /^decoded\/still\.png: 64 x 32, 1 frame$/m);
  assert.match(err, /error\[LTX6810\].*ffmpeg.*clip\.mp4 is not made/);
  assert.match(err, /apt-get install ffmpeg/);
  const { width, height, pixels } = await readPng(join(cwd, "decoded/still.png"));
  assert.equal([width, height], [64, 32]);
  assert.ok(new Set(pixels).size > 50, "the picture has many colours");
  assert.equal(await readdir(join(cwd, "decoded")), ["still.png"]);
});

test("what can not be decoded is said, and the rest is made; nothing is replaced unless asked", async () => {
  const cwd = await folder();
  await latents(join(cwd, "a.pt"), 1);
  await latents(join(cwd, "wide.pt"), 1, { channels: 4 });
  await latents(join(cwd, "slow.pt"), 1, { fps: 1e9 });
  await writeFile(join(cwd, "empty.pt"), "");
  await writeFile(join(cwd, "text.pt"), "no latents");
  await writeSafetensors(join(cwd, "lora.safetensors"), [
    { name: "a", shape: [2], dtype: "F32", data: Float32Array.of(1, 2) },
  ]);
  const all = ["empty.pt", "a.pt", "wide.pt", "slow.pt", "text.pt", "lora.safetensors"];
  const { code, out, err } = await decode(cwd, [...all, "--json"], "");
  assert.is(code, 1, err);
  const said = JSON.parse(out) as {
    diagnostics: { code: string; path: string; message: string; help?: string }[];
    decoded: { path: string }[];
  };
  assert.equal(
    said.decoded.map(({ path }) => path),
    ["decoded/a.png"],
  );
  const codes = new Map(said.diagnostics.map((each) => [each.path, each.code]));
  assert.equal(codes.get("wide.pt"), "LTX6134");
  const { message = "", help = "" } = said.diagnostics.find(({ path }) => path === "wide.pt") ?? {};
  assert.match(message, /has latents of 4 channels, the VAE takes 8/);
  assert.match(help, /name the checkpoint or VAE that the latents were made with/);
  assert.equal(codes.get("slow.pt"), "LTX6813");
  assert.equal(codes.get("lora.safetensors"), "LTX6812");
  assert.is(said.diagnostics.length, 5);
  assert.match((await decode(cwd, ["a.pt"], "")).err, /LTX6814.*is there already/);
  assert.is((await decode(cwd, ["a.pt", "--force"], "")).code, 0);
});

test("the diffusion decoder makes the same picture of a latent, and another with another seed", async () => {
  const cwd = await newFolder();
  await writeTinyVae(join(cwd, "vae.safetensors"), { config: tinyDiffusionVae, prefix: "" });
  await latents(join(cwd, "a.pt"), 1);
  const seen = async (...args: readonly string[]): Promise<Buffer> => {
    const { code, out, err } = await decode(cwd, ["a.pt", "--force", ...args], "");
    assert.is(code, 0, err);
    assert.match(out, /^decoded\/a\.png: 64 x 32, 1 frame$/m);
    return (await readPng(join(cwd, "decoded/a.png"))).pixels;
  };
  const first = await seen();
  assert.ok(new Set(first).size > 50, "the picture has many colours");
  assert.ok(first.equals(await seen("--seed", "0")));
  assert.not.ok(first.equals(await seen("--seed", "1")));
  assert.match((await decode(cwd, ["a.pt", "--seed", "-1"], "")).err, /it is a whole number, 0 or more/);
});

test("wrong command lines say what to write", async () => {
  const cwd = await folder();
  await latents(join(cwd, "a.pt"), 1);
  await mkdir(join(cwd, "none"));
  assert.match((await decode(cwd, ["nowhere"])).err, /nowhere does not exist/);
  assert.match((await decode(cwd, ["none"])).err, /none holds no files of latents/);
  assert.match((await decode(cwd, ["a.pt", "./a.pt"])).err, /would become the same file/);
  assert.match((await ltxc(["decode", "a.pt", "--model", "x"], { cwd })).err, /--vae/);
  await latents(join(cwd, "vae.pt"), 1);
  const { code, err } = await ltxc(["decode", "a.pt", "--vae", "vae.pt"], { cwd, env: { PATH } });
  assert.is(code, 1);
  assert.match(err, /LTX6222/);
});

if (ffmpeg !== null) {
  test("a clip becomes a video of the same frames, whatever its name", async () => {
    const cwd = await folder();
    const names = ["-i", "a b\n'c\" ;$(touch ran) %03d"];
    await mkdir(join(cwd, "odd"));
    for (const name of names) await latents(join(cwd, "odd", `${name}.pt`), 2);
    const { code, err } = await decode(cwd, ["odd"]);
    assert.is(code, 0, err);
    assert.equal((await readdir(join(cwd, "decoded"))).toSorted(), names.map((name) => `${name}.mp4`).toSorted());
    const [first, second] = names.map((name) => framesOf(join(cwd, "decoded", `${name}.mp4`)));
    assert.is(first?.length, 9 * 64 * 32 * 3);
    assert.ok(second?.equals(first ?? Buffer.alloc(0)), "the same latents give the same video");
    assert.ok(new Set(first).size > 50, "the video has many colours");
  });
}

test.run();
