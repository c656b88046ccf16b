/** Masks of pixels as masks of latent cells: 1 where a cell is kept clean. */
import type { HostTensor, ScaleFactors, VideoGrid } from "../../contract.ts";
import type { Frames } from "./fit.ts";
import { pictureOf, resize, type Picture } from "./resize.ts";

/**
 * `[f, h, w]`, 0 or 1. The mask is stretched to the clip, averaged over cells, and of the frames of a latent frame the highest counts.
 * As the official preprocessing does it, frames are grouped from the first one on, not as latents group them (1, then 8 each); a clip that is
 * too short gives fewer frames.
 */
export function videoMask(mask: Frames, isImage: boolean, grid: VideoGrid, factors: ScaleFactors): HostTensor {
  const { frames, height, width } = grid;
  const [rows, columns] = [height * factors.height, width * factors.width];
  const count = (frames - 1) * factors.time + 1;
  const greys = mask.frames.slice(0, count).map((bytes) => grey(pictureOf({ ...mask, bytes })));
  const sized = greys.map((picture) =>
    isImage ? resize(picture, rows, columns, "bilinear") : nearest(picture, rows, columns),
  );
  const cells = sized.map((picture) => means(picture, factors));
  const repeated = isImage ? Array.from({ length: count }, () => cells[0] ?? new Float32Array(height * width)) : cells;
  const groups = Math.min(frames, Math.ceil(repeated.length / factors.time));
  const data = new Float32Array(groups * height * width);
  for (const [t, frame] of repeated.entries()) {
    const group = Math.floor(t / factors.time);
    if (group < groups) for (const [i, value] of frame.entries()) if (value > 0.5) data[group * frame.length + i] = 1;
  }
  return { shape: [groups, height, width], dtype: "float32", data };
}

function grey({ rows, columns, data }: Picture): Picture {
  const size = rows * columns;
  const mean = Float32Array.from({ length: size }, (_, i) => {
    const [red = 0, green = 0, blue = 0] = [data[i], data[size + i], data[2 * size + i]];
    return Math.fround(Math.fround(red + green) + blue) / 3;
  });
  return { channels: 1, rows, columns, data: mean };
}

/** Index of the element that stands for each of `to`, computed in float32 as PyTorch does. */
function nearestIndices(from: number, to: number): number[] {
  const step = Math.fround(from / to);
  return Array.from({ length: to }, (_, i) => Math.min(Math.floor(Math.fround(i * step)), from - 1));
}

function nearest({ rows, columns, data }: Picture, toRows: number, toColumns: number): Picture {
  const [ys, xs] = [nearestIndices(rows, toRows), nearestIndices(columns, toColumns)];
  const made = Float32Array.from(ys.flatMap((y) => xs.map((x) => data[y * columns + x] ?? 0)));
  return { channels: 1, rows: toRows, columns: toColumns, data: made };
}

function means({ rows, columns, data }: Picture, { height, width }: ScaleFactors): Float32Array {
  const across = columns / width;
  const sums = new Float32Array((rows / height) * across);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const cell = Math.floor(y / height) * across + Math.floor(x / width);
      sums[cell] = (sums[cell] ?? 0) + (data[y * columns + x] ?? 0);
    }
  return sums.map((sum) => sum / (height * width));
}

/** Samples of a mask as one value for each of `steps` of an audio latent: 1 above one half. */
export function audioMask(samples: ArrayLike<number>, steps: number): Float32Array {
  return Float32Array.from(nearestIndices(samples.length, steps), (i) => ((samples[i] ?? 0) > 0.5 ? 1 : 0));
}
