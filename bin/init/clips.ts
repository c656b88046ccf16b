/**
 * The sample data of a new project, as numbers: a few clips of a soft blob that crosses the picture, each in a colour and direction of
 * its own, with a caption that tells them apart. Small, but with enough order in it that a LoRA visibly learns.
 */
import { normal } from "../../runtime/index.ts";

/** All in latent units; the text length is the smallest that the connectors accept. */
export const sizes = {
  clips: 8,
  channels: 8,
  frames: 3,
  height: 6,
  width: 6,
  fps: 24,
  audioChannels: 8,
  /** 17 pixel frames at 24 fps take 0.71 s, at 25 latent steps per second. */
  audioSteps: 18,
  mel: 2,
  textTokens: 128,
  captionTokens: 12,
  /** Width of features that a strategy compares with. */
  features: 8,
} as const;

export interface Grid {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

export const grid: Grid = sizes;
/** For references at half the resolution. */
export const halfGrid: Grid = { frames: sizes.frames, height: sizes.height / 2, width: sizes.width / 2 };

/** Numbers of a clip that do not change from one `ltxc init` to the next. */
export function traits(clip: number, name: string, count: number): Float32Array {
  return normal({ seed: 0, step: clip, microBatch: 0, name }, count);
}

/** `[...extents]` filled by the value at each index, row-major. */
function tabulate(extents: readonly number[], value: (...index: number[]) => number): Float32Array {
  const data = new Float32Array(extents.reduce((a, b) => a * b, 1));
  const index = extents.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = value(...index);
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      index[axis] = ((index[axis] ?? 0) + 1) % (extents[axis] ?? 1);
      if (index[axis] !== 0) break;
    }
  }
  return data;
}

/** `[C, F, H, W]`: a blob that moves by one cell per frame over a slow gradient. */
export function videoLatents(clip: number, { frames, height, width }: Grid = grid): Float32Array {
  const { channels } = sizes;
  const color = traits(clip, "color", channels);
  const angle = (2 * Math.PI * clip) / sizes.clips;
  return tabulate([channels, frames, height, width], (c = 0, f = 0, h = 0, w = 0) => {
    const dy = h - (height - 1) / 2 - Math.sin(angle) * (f - 1);
    const dx = w - (width - 1) / 2 - Math.cos(angle) * (f - 1);
    const gradient = 0.5 * Math.cos((Math.PI * (c + 1) * (h + w)) / (2 * (height + width)));
    return 2 * (color[c] ?? 0) * Math.exp(-(dx * dx + dy * dy) / 6) + gradient;
  });
}

/** `[C, F, H, W]`, what an encoded mask looks like: high in the rectangle to fill, low elsewhere, not exactly 1 and 0. */
export function maskLatents(clip: number): Float32Array {
  const { channels, frames, height, width } = sizes;
  return tabulate([channels, frames, height, width], (c = 0, _f = 0, h = 0, w = 0) => {
    return (isInside(clip, h, w) ? 0.9 : 0.1) + 0.02 * (c % 3);
  });
}

/** `[F, H, W]`: 1 in the rectangle, 0 elsewhere. */
export function rectangle(clip: number): Float32Array {
  const { frames, height, width } = sizes;
  return tabulate([frames, height, width], (_f = 0, h = 0, w = 0) => (isInside(clip, h, w) ? 1 : 0));
}

function isInside(clip: number, row: number, column: number): boolean {
  const [top, left] = [clip % 3, (clip * 2) % 3];
  return row >= top && row < top + 4 && column >= left && column < left + 4;
}

/** `[8, T, mel]`: a tone that rises and falls. */
export function audioLatents(clip: number): Float32Array {
  const color = traits(clip, "tone", sizes.audioChannels * sizes.mel);
  return tabulate([sizes.audioChannels, sizes.audioSteps, sizes.mel], (c = 0, t = 0, m = 0) => {
    const envelope = Math.sin((Math.PI * (t + 1)) / (sizes.audioSteps + 1));
    return 1.5 * (color[c * sizes.mel + m] ?? 0) * envelope;
  });
}

/** `[T]`: 1 in the middle third. */
export function audioMask(clip: number): Float32Array {
  const third = sizes.audioSteps / 3;
  return tabulate([sizes.audioSteps], (t = 0) => (t >= third - (clip % 2) && t < 2 * third ? 1 : 0));
}

/** `[S, width]`: the caption's features at the end (left-padded), zeros before. */
export function textFeatures(clip: number, width: number): Float32Array {
  const caption = traits(clip, "caption", sizes.captionTokens * width);
  const features = new Float32Array(sizes.textTokens * width);
  features.set(caption, features.length - caption.length);
  return features;
}

/** `[S]`: 1 where the caption is. */
export function textMask(): readonly number[] {
  return Array.from({ length: sizes.textTokens }, (_, i) => (i < sizes.textTokens - sizes.captionTokens ? 0 : 1));
}
