/** Conditions of samples that are given as pixels: videos and pictures, and masks of them. */
import type { HostTensor, ScaleFactors, VideoGrid } from "../contract.ts";
import type { HostTokenMask, HostVideoLatents } from "../data/sample.ts";
import type { Engine } from "../engine/engine.ts";
import type { Finding } from "../findings.ts";
import { encodeClip, measure, openEncoder, type Fitting } from "../media/encode-clip.ts";
import { videoMask } from "../media/pixels/masks.ts";
import { openClip } from "../media/reading/clip.ts";
import { findMediaPrograms } from "../media/reading/programs.ts";
import type { VideoEncoder } from "../media/vae/video-vae.ts";

/** In pixels and frames: what a condition is brought to, of a clip's first `frames` frames. */
export interface Wanted {
  readonly height: number;
  readonly width: number;
  readonly frames: number;
  /** Of the frames after the first, every so-manieth. */
  readonly every: number;
}

/** Reads conditions that are no latents. Errors: FindingsError LTX6820 to LTX6824, and those of the encoder. */
export interface PixelConditions {
  latents(path: string, wanted: Wanted): Promise<HostVideoLatents>;
  mask(path: string, grid: VideoGrid): Promise<HostTokenMask>;
}

type OnWarning = (finding: Finding) => void;

function asLatents(latents: HostTensor, fps: number): HostVideoLatents {
  const [, frames = 0, height = 0, width = 0] = latents.shape;
  return { kind: "video_latents", latents, storage: "float32", frames, height, width, fps };
}

const open = (path: string, most: number, onWarning: OnWarning) =>
  openClip(path, { programs: findMediaPrograms(), most, onWarning });

/** Reads the files without encoding them: latents are zeros of the shape that they will have. */
export function checkedPixels(channels: number, factors: ScaleFactors, onWarning: OnWarning): PixelConditions {
  return {
    async latents(path, { height, width, frames, every }) {
      const clip = await open(path, frames, onWarning);
      const found = await measure(clip);
      const taken = 1 + Math.ceil((found.frames - 1) / every);
      const shape = [
        channels,
        1 + Math.floor((taken - 1) / factors.time),
        height / factors.height,
        width / factors.width,
      ];
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      return asLatents({ shape, dtype: "float32", data }, clip.fps);
    },
    mask: (path, grid) => readMask(path, grid, factors, onWarning),
  };
}

/** Encodes on an engine, each file once. The encoder is there from the first condition until `release`, what it made until the end. */
export function encodedPixels(
  engine: Engine,
  vae: string,
  factors: ScaleFactors,
): PixelConditions & { release(): void } {
  const known = new Map<string, HostVideoLatents>();
  let encoder: VideoEncoder | null = null;
  const ignored = () => undefined;
  return {
    async latents(path, wanted) {
      const key = JSON.stringify([path, wanted]);
      const found = known.get(key);
      if (found !== undefined) return found;
      encoder ??= await openEncoder(engine, vae);
      const fitting: Fitting = { kind: "cover", ...wanted };
      const encoding = { engine, encoder, programs: findMediaPrograms(), fitting, isTiled: false, isTurned: true };
      // The checks before the run have told what there is to warn of.
      const { latents, fps } = await encodeClip(encoding, path, { onWarning: ignored, onFrames: ignored });
      const made = asLatents(latents, fps);
      known.set(key, made);
      return made;
    },
    mask: (path, grid) => readMask(path, grid, factors, ignored),
    release() {
      encoder?.dispose();
      encoder = null;
    },
  };
}

async function readMask(
  path: string,
  grid: VideoGrid,
  factors: ScaleFactors,
  onWarning: OnWarning,
): Promise<HostTokenMask> {
  const clip = await open(path, 1 + (grid.frames - 1) * factors.time, onWarning);
  const frames: Uint8Array[] = [];
  let size = { height: 0, width: 0 };
  for await (const { bytes, height, width } of clip.frames()) {
    frames.push(bytes);
    size = { height, width };
  }
  return { kind: "video_mask", mask: videoMask({ ...size, frames }, clip.isPicture, grid, factors) };
}
