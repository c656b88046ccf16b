/** Samples cut to fewer latent frames, or to fewer rows and columns: what a run would take with smaller ones. */
import type { HostTensor, VideoGrid } from "../contract.ts";
import type { HostSample, HostSource } from "./sample.ts";

/** What is made of a sample: the grid of its largest latents, before and after. */
export interface Crop {
  readonly from: VideoGrid;
  readonly to: VideoGrid;
}

export const tokensOf = ({ frames, height, width }: VideoGrid): number => frames * height * width;

/** The grid of other latents of the sample, cut alike; null where it would be no whole number of cells. */
export function cropGrid(grid: VideoGrid, { from, to }: Crop): VideoGrid | null {
  const height = (grid.height * to.height) / from.height;
  const width = (grid.width * to.width) / from.width;
  const frames = grid.frames === 1 ? 1 : ((grid.frames - 1) * (to.frames - 1)) / Math.max(1, from.frames - 1) + 1;
  const made = { frames, height, width };
  return Object.values(made).every((x) => Number.isInteger(x) && x > 0) ? made : null;
}

/** Steps of audio that go with fewer frames; at least one. */
export function cropSteps(steps: number, { from, to }: Crop): number {
  return Math.max(1, Math.round((steps * to.frames) / from.frames));
}

/** Null where a source can not be cut so. Sources of the kind `tensor` stay as they are. */
export function cropSample(sample: HostSample, crop: Crop): HostSample | null {
  const { sources } = sample;
  const before = Object.values(sources);
  const cut = Object.entries(sources).map(([role, source]) => [role, cropSource(source, before, crop)] as const);
  if (cut.some(([, source]) => source === null)) return null;
  return { ...sample, sources: Object.fromEntries(cut) as HostSample["sources"] };
}

function cropSource(source: HostSource, all: readonly HostSource[], crop: Crop): HostSource | null {
  switch (source.kind) {
    case "video_latents": {
      const grid = cropGrid(source, crop);
      return grid === null ? null : { ...source, ...grid, latents: cropVideo(source.latents, grid) };
    }
    case "audio_latents": {
      const steps = cropSteps(source.steps, crop);
      const [channels = 0, , mel = 0] = source.latents.shape;
      return { ...source, steps, latents: cropAxes(source.latents, [channels, steps, mel]) };
    }
    case "video_mask":
    case "audio_mask": {
      const tokens = tokensOfMask(source.mask.data.length, all, crop);
      return tokens === null ? null : { ...source, mask: cropAxes(source.mask, [tokens]) };
    }
    default:
      return source;
  }
}

/** Tokens of the latents that a mask of so many is for, after they were cut. */
function tokensOfMask(tokens: number, all: readonly HostSource[], crop: Crop): number | null {
  for (const source of all) {
    if (source.kind === "audio_latents" && source.steps === tokens) return cropSteps(tokens, crop);
    if (source.kind !== "video_latents" || tokensOf(source) !== tokens) continue;
    const grid = cropGrid(source, crop);
    return grid === null ? null : tokensOf(grid);
  }
  return null;
}

function cropVideo(latents: HostTensor, { frames, height, width }: VideoGrid): HostTensor {
  return cropAxes(latents, [latents.shape[0] ?? 0, frames, height, width]);
}

/** The first entries along each axis. */
function cropAxes(x: HostTensor, shape: readonly number[]): HostTensor {
  const strides = x.shape.map((_, i) => x.shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const row = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const data = x.data.slice(0, row * rows);
  for (let i = 0; i < rows; i++) {
    let [rest, at] = [i, 0];
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      const size = shape[axis] ?? 1;
      at += (rest % size) * (strides[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    data.set(x.data.subarray(at, at + row) as never, i * row);
  }
  return { ...x, shape, data } as HostTensor;
}
