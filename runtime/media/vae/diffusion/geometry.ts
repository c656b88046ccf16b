import type { DiffusionConfig, Triple } from "./config.ts";

/** How a latent is enlarged before it is decoded, and what is cut off afterwards. */
export interface Geometry {
  /** In latent cells, no axis smaller than the kernels need. */
  readonly frames: number;
  readonly rows: number;
  readonly columns: number;
  /** Of the rows and columns that are added, so many stand in front. */
  readonly top: number;
  readonly left: number;
  /** Copies of the last frame behind all: what is decoded of them is thrown away. */
  readonly ghosts: number;
  /** Frames of each of the five stages. The last one's are fewer than what the upsampling before it makes, by those of the ghosts. */
  readonly stageFrames: readonly number[];
  /** Pixel frames of the latent without its ghosts. */
  readonly pixelFrames: number;
}

/** Pixels and frames to a latent cell. */
export const CELL: Triple = [8, 32, 32];

/** Of a latent of `[frames, rows, columns]` cells. */
export function geometryOf({ stages, upsamples }: DiffusionConfig, latent: Triple): Geometry {
  const floors = latent.map((size, axis) =>
    Math.max(size, ...stages.map((_, i) => leastOf(axis, i))),
  ) as unknown as Triple;
  const [frames, rows, columns] = floors;
  const ghosts = Math.floor((stages[0]?.kernel[0] ?? 1) / 2) * 2;
  const stageFrames = [frames + ghosts];
  for (const { strides } of upsamples) {
    const before = stageFrames.at(-1) ?? 0;
    stageFrames.push(strides[0] === 2 ? 2 * before - 1 : before);
  }
  const made = stageFrames.pop() ?? 0;
  const least = Math.max(made - CELL[0] * ghosts, stages.at(-1)?.kernel[0] ?? 1);
  return {
    frames,
    rows,
    columns,
    ghosts,
    top: Math.floor((rows - latent[1]) / 2),
    left: Math.floor((columns - latent[2]) / 2),
    stageFrames: [...stageFrames, ghosts === 0 ? made : Math.min(made, least)],
    pixelFrames: 1 + (frames - 1) * CELL[0],
  };

  /** As many latent cells as the kernel of stage i needs along an axis. */
  function leastOf(axis: number, i: number): number {
    const factor = upsamples.slice(0, i).reduce((product, { strides }) => product * (strides[axis] ?? 1), 1);
    return Math.ceil((stages[i]?.kernel[axis] ?? 1) / factor);
  }
}
