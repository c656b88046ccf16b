/** Files of latents to pictures and videos. */
import { basename } from "node:path";
import type { HostTensor } from "../contract.ts";
import { withEntries } from "../data/entries.ts";
import { readSource } from "../data/sample.ts";
import type { Engine } from "../engine/engine.ts";
import { replaceAtomically, writeAtomically } from "../files/atomic.ts";
import { judgeFile } from "../files/kinds/index.ts";
import { openSafetensors } from "../files/safetensors/index.ts";
import { fail, FindingsError, type Finding } from "../findings.ts";
import { ffmpegMissing, writeVideo } from "./ffmpeg.ts";
import { toBytes } from "./pixels/bytes.ts";
import type { VideoLatents } from "./latents-file.ts";
import { encodePng } from "./png.ts";
import { loadLatentDecoder, type LatentDecoder } from "./vae/latent-decoder.ts";
import type { Tiling } from "./vae/tiles.ts";

/**
 * Loads the decoder of a checkpoint or of a video VAE's own file.
 * @param place the setting that named the file
 * @param seed of the noise that the decoder draws, if it is one that does
 * Errors: FindingsError LTX6180 to LTX6230 for a file of another kind, LTX6801 and LTX6803 for a VAE that can not be used.
 */
export async function openDecoder(
  engine: Engine,
  path: string,
  { place = [], seed = 0 }: { readonly place?: Finding["path"]; readonly seed?: number } = {},
): Promise<LatentDecoder> {
  const unfit = await judgeFile(path, "video-vae", place);
  if (unfit !== null) throw new FindingsError([unfit]);
  const file = await openSafetensors(path);
  try {
    return await loadLatentDecoder(engine, file, { place, seed });
  } finally {
    await file.close();
  }
}

/**
 * Video latents of a `.pt` file of the official preprocessing, or of a `.safetensors` file with a tensor `video` or `latents`.
 * Errors: FindingsError LTX61xx for files that can not be read, LTX6134 for other channels, LTX6812 for a file without video latents,
 * LTX6813 for a rate that no video has.
 */
export async function readLatents(path: string, channels: number): Promise<VideoLatents> {
  const read = path.endsWith(".safetensors") ? await fromSafetensors(path, channels) : await fromPt(path, channels);
  if (read.fps >= 0.01 && read.fps <= 1000) return read;
  const help = "store the frames per second of the video, from 0.01 to 1000";
  return fail("LTX6813", `${path} has ${read.fps} frames per second`, help);
}

async function fromPt(path: string, channels: number): Promise<VideoLatents> {
  const source = await withEntries(path, (entries) => readSource(entries, { kind: "video_latents" }, null));
  if (source.kind !== "video_latents") throw new Error(`${path} was read as ${source.kind}`);
  const [found] = source.latents.shape;
  if (found !== channels) {
    const help = "name the checkpoint or VAE that the latents were made with; `ltxc inspect` says what a file is";
    return fail("LTX6134", `${path} has latents of ${found} channels, the VAE takes ${channels}`, help);
  }
  return { latents: source.latents, fps: source.fps };
}

async function fromSafetensors(path: string, channels: number): Promise<VideoLatents> {
  const file = await openSafetensors(path);
  try {
    const name = ["video", "latents"].find((each) => file.tensors.has(each));
    const shape = file.tensors.get(name ?? "")?.shape ?? [];
    if (name === undefined || shape.length !== 4 || shape[0] !== channels || shape.includes(0)) {
      const found = name === undefined ? "has no tensor `video` or `latents`" : `has \`${name}\` [${shape.join(", ")}]`;
      const help = `video latents are [${channels}, frames, height, width] for this VAE, in latent cells`;
      return fail("LTX6812", `${path} ${found}`, help);
    }
    const data = await file.readFloat32(name);
    const isFinite = data.every((x) => Number.isFinite(x));
    if (!isFinite) fail("LTX6812", `${path} holds numbers that are not finite`, "draw or encode it anew");
    return { latents: { shape, dtype: "float32", data }, fps: Number(file.metadata["fps"] ?? 24) };
  } finally {
    await file.close();
  }
}

/** What pictures and videos are made with. */
export interface Decoding {
  readonly decoder: LatentDecoder;
  /** The path of ffmpeg; null where there is none. */
  readonly ffmpeg: string | null;
  readonly tiling: Tiling;
}

/** What was written. */
export interface Decoded {
  readonly path: string;
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

/** What latents become below `stem`: one frame is a picture, more are a video. */
export const nameOfDecoded = (stem: string, { latents }: VideoLatents): string =>
  `${stem}${latents.shape[1] === 1 ? ".png" : ".mp4"}`;

/**
 * Writes latents as `<stem>.png` or `<stem>.mp4`, whole or not at all.
 * @param onFrame sees each frame as RGB bytes
 * Errors: FindingsError LTX6810 without ffmpeg, LTX6811 where it fails, LTX6190, LTX6191.
 */
export async function writeDecoded(
  decoding: Decoding,
  given: VideoLatents,
  stem: string,
  onFrame: (bytes: Uint8Array) => void = () => undefined,
): Promise<Decoded> {
  const { decoder, ffmpeg } = decoding;
  const { latents, fps } = given;
  const [, frames = 0, rows = 0, columns = 0] = latents.shape;
  const { time, height, width } = decoder.scaleFactors;
  const path = nameOfDecoded(stem, given);
  const made = { path, frames: 1 + (frames - 1) * time, width: columns * width, height: rows * height, fps };
  if (frames === 1) {
    for await (const bytes of framesOf(decoding, latents, "nearest")) {
      onFrame(bytes);
      const png = encodePng({ width: made.width, height: made.height, pixels: bytes });
      await writeAtomically(path, png.length, (sink) => sink(png));
    }
    return made;
  }
  if (ffmpeg === null)
    return fail("LTX6810", `${ffmpegMissing.message}: ${basename(path)} is not made`, ffmpegMissing.help);
  await replaceAtomically(path, (temporary) =>
    writeVideo(ffmpeg, temporary, made, seen(framesOf(decoding, latents, "truncated"), onFrame)),
  );
  return made;
}

/** The frames of latents as RGB bytes `[H, W, 3]`. */
export async function* framesOf(
  { decoder, tiling }: Decoding,
  latents: HostTensor,
  rounding: Parameters<typeof toBytes>[1],
): AsyncGenerator<Uint8Array> {
  for await (const frames of decoder.frames(latents, tiling))
    for (const frame of frames) yield toBytes(frame, rounding);
}

async function* seen(frames: AsyncIterable<Uint8Array>, onFrame: (bytes: Uint8Array) => void) {
  for await (const frame of frames) {
    onFrame(frame);
    yield frame;
  }
}
