/** Files of videos and pictures to latents. */
import type { HostTensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { judgeFile } from "../files/kinds/index.ts";
import { openSafetensors } from "../files/safetensors/index.ts";
import { fail, FindingsError, type Finding } from "../findings.ts";
import { chooseBucket, placeCells, placeIn, type Bucket } from "./pixels/buckets.ts";
import { clipOf, placedFrame } from "./pixels/fit.ts";
import type { Placement, RgbBytes } from "./pixels/resize.ts";
import { openClip, type Clip, type ClipOptions } from "./reading/clip.ts";
import {
  encodePieces,
  encodeTiles,
  encodeWhole,
  framesOfLatent,
  stacked,
  type ClipEncoding,
} from "./vae/encode-tiles.ts";
import { loadEncoder, type VideoEncoder } from "./vae/video-vae.ts";

/**
 * Loads the encoder of a checkpoint or of a video VAE's own file.
 * @param place the setting that named the file
 * Errors: FindingsError LTX6180 to LTX6230 for a file of another kind, LTX6801 and LTX6803 for a VAE that can not be used.
 */
export async function openEncoder(engine: Engine, path: string, place: Finding["path"] = []): Promise<VideoEncoder> {
  const unfit = await judgeFile(path, "video-vae", place);
  if (unfit !== null) throw new FindingsError([unfit]);
  const file = await openSafetensors(path);
  try {
    return await loadEncoder(engine, file, place);
  } finally {
    await file.close();
  }
}

/** Which size a clip is brought to. */
export type Fitting =
  /** Its own, without what does not fill latent cells. */
  | { readonly kind: "own" }
  /** The nearest of several; each clip must have as many frames as its bucket. */
  | { readonly kind: "buckets"; readonly buckets: readonly Bucket[] }
  | ({ readonly kind: "cover" } & Covering);

/** This size, and at most so many frames: of these the first, and of the others every `every`th from the second on. */
interface Covering extends Bucket {
  readonly every: number;
}

export interface Encoding {
  readonly engine: Engine;
  readonly encoder: VideoEncoder;
  readonly programs: ClipOptions["programs"];
  readonly fitting: Fitting;
  /** Whether large pictures are cut into tiles, as the official preprocessing does with `--vae-tiling`. */
  readonly isTiled: boolean;
  /** Whether frames are turned as the file asks for, as players show them. */
  readonly isTurned: boolean;
}

/** What is told while a clip is encoded. */
interface EncodingListener {
  onWarning(finding: Finding): void;
  /** Frames that are encoded, and how many there will be; null where the file does not say. */
  onFrames(done: number, of: number | null): void;
}

/** What became of a clip. */
export interface EncodedClip {
  /** `[C, f, h, w]` */
  readonly latents: HostTensor;
  readonly fps: number;
  /** Frames and pixels that the latents stand for. */
  readonly frames: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Encodes a video or picture. Memory does not depend on the number of its frames, unless its VAE needs the whole clip, as none that was published
 * does.
 * Errors: FindingsError, those of `openClip`, LTX6825 for a clip that has too few frames, LTX6826 for one that is too small.
 */
export async function encodeClip(encoding: Encoding, path: string, told: EncodingListener): Promise<EncodedClip> {
  const { fitting, programs, isTurned } = encoding;
  const clip = await openClip(path, { programs, most: mostFrames(fitting), isTurned, onWarning: told.onWarning });
  const pieces = new Pieces(encoding, path, { ...(await goalOf(clip, fitting, path)), told });
  const every = fitting.kind === "cover" ? fitting.every : 1;
  let index = 0;
  try {
    for await (const picture of clip.frames()) {
      const isTaken = index === 0 || (index - 1) % every === 0;
      index++;
      if (isTaken && !(await pieces.add(picture))) break;
    }
    return { ...(await pieces.finish()), fps: clip.fps };
  } finally {
    pieces.dispose();
  }
}

/** What a clip is to become. */
interface Goal {
  /** Null for its own size. */
  readonly size: Size | null;
  /** So many frames; null for all that there are. */
  readonly frames: number | null;
  /** For progress. */
  readonly expected: number | null;
}

async function goalOf(clip: Clip, fitting: Fitting, path: string): Promise<Goal> {
  if (fitting.kind === "own") return { size: null, frames: null, expected: clip.claimed };
  if (fitting.kind === "cover") return { size: fitting, frames: null, expected: clip.claimed };
  const bucket = await bucketFor(clip, fitting.buckets, path);
  return { size: bucket, frames: bucket.frames, expected: bucket.frames };
}

function mostFrames(fitting: Fitting): number | null {
  if (fitting.kind === "own") return null;
  return fitting.kind === "cover" ? fitting.frames : Math.max(...fitting.buckets.map(({ frames }) => frames));
}

/** The bucket whose shape fits best. With several, frames are counted before: files do not always say the truth. */
async function bucketFor(clip: Clip, buckets: readonly Bucket[], path: string): Promise<Bucket> {
  const [only] = buckets;
  if (buckets.length === 1 && only !== undefined && (!clip.isPicture || only.frames === 1)) return only;
  const size = await measure(clip);
  return chooseBucket(buckets, size) ?? tooShort(path, size.frames, Math.min(...buckets.map(({ frames }) => frames)));
}

/** How many frames can be read of a clip, at most as many as it was opened for, and their size. */
export async function measure(clip: Clip): Promise<Bucket> {
  let size = { frames: 0, height: 0, width: 0 };
  for await (const { height, width } of clip.frames()) size = { frames: size.frames + 1, height, width };
  return size;
}

function tooShort(path: string, frames: number, needed: number): never {
  const has = frames === 1 ? "1 frame" : `${frames} frames`;
  const help = `add a bucket with fewer frames, such as one that ends with x${frames === 1 ? 1 : 1 + 8 * Math.floor((frames - 1) / 8)}`;
  return fail("LTX6825", `${path} has ${has}, and the shortest bucket takes ${needed}`, help);
}

interface PieceSettings extends Goal {
  readonly told: EncodingListener;
}

interface Begun {
  readonly place: Placement;
  readonly clip: ClipEncoding;
}

/** Frames on their way into latents: the first alone, then as many at a time as a latent frame stands for. */
class Pieces {
  readonly #encoding: Encoding;
  readonly #path: string;
  readonly #settings: PieceSettings;
  #begun: Begun | null = null;
  #waiting: Float32Array[] = [];
  #latent: Float32Array[] = [];
  #frames = 0;
  #seen = 0;

  constructor(encoding: Encoding, path: string, settings: PieceSettings) {
    [this.#encoding, this.#path, this.#settings] = [encoding, path, settings];
  }

  /** Whether more frames are wanted. */
  async add(picture: RgbBytes): Promise<boolean> {
    const { frames } = this.#settings;
    const begun = (this.#begun ??= this.#begin(picture));
    this.#waiting.push(placedFrame(picture, begun.place));
    this.#seen++;
    const { needsWhole, scaleFactors } = this.#encoding.encoder;
    const isFull = this.#waiting.length === (this.#frames === 0 ? 1 : scaleFactors.time);
    if (isFull && !needsWhole) await this.#encode(begun);
    return frames === null || this.#seen < frames;
  }

  async finish(): Promise<Omit<EncodedClip, "fps">> {
    const begun = this.#begun;
    const { frames } = this.#settings;
    if (begun === null) throw new Error(`${this.#path} has no frames`);
    if (frames !== null && this.#seen < frames) tooShort(this.#path, this.#seen, frames);
    const { needsWhole, scaleFactors } = this.#encoding.encoder;
    if (needsWhole) {
      this.#waiting.length -= (this.#seen - 1) % scaleFactors.time;
      await this.#encode(begun);
    }
    const { height, width } = begun.place;
    const latents = stacked(this.#latent, [height / scaleFactors.height, width / scaleFactors.width]);
    return { latents, frames: this.#frames, height, width };
  }

  dispose(): void {
    this.#begun?.clip.dispose();
  }

  async #encode({ place, clip }: Begun): Promise<void> {
    this.#latent.push(...framesOfLatent(await clip.encode(clipOf(this.#waiting, place))));
    this.#frames += this.#waiting.length;
    this.#waiting = [];
    this.#settings.told.onFrames(this.#frames, this.#settings.expected);
  }

  #begin(picture: RgbBytes): Begun {
    const { engine, encoder, isTiled } = this.#encoding;
    const { size, told } = this.#settings;
    const place = size === null ? placeCells(picture, encoder.scaleFactors) : placeIn(size, picture);
    if (place === null) return tooSmall(this.#path, picture, encoder.scaleFactors);
    const kept = (place.height * place.width) / (place.rows * place.columns);
    if (kept < 0.5) told.onWarning(mostlyCut(this.#path, picture, place, kept));
    const begin = () => (encoder.needsWhole ? encodeWhole : encodePieces)(engine, encoder);
    return { place, clip: isTiled ? encodeTiles(begin, place, encoder.scaleFactors) : begin() };
  }
}

type Size = { readonly height: number; readonly width: number };

function tooSmall(path: string, picture: Size, cell: Size): never {
  const help = "enlarge it first, or choose a size with `--resolution-buckets`";
  const message = `${path} has ${picture.width} x ${picture.height} pixels, less than a latent cell, which has ${cell.width} x ${cell.height}`;
  return fail("LTX6826", message, help);
}

function mostlyCut(path: string, picture: Size, place: Placement, kept: number): Finding {
  const percent = Math.min(99, Math.round(100 * (1 - kept)));
  const message = `${path} has pictures of ${picture.width} x ${picture.height} pixels, and ${percent} % of each is cut off to make them ${place.width} x ${place.height}`;
  const help = "add a bucket of a more similar shape, or leave the file out";
  return { code: "LTX6827", severity: "warning", path: [], message, help };
}
