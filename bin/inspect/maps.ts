import type { VideoGrid } from "../../runtime/contract.ts";
import type { ModalityName, Observation, Seen } from "../probe/observe.ts";

/** A value over a modality's target tokens, of one sample. */
export interface TokenMap {
  readonly key: string;
  readonly kind: "mask" | "numbers";
  /** What a column is. Audio, and values that are the same in a whole frame, have a single row. */
  readonly columns: "cells" | "frames" | "steps";
  readonly grid: VideoGrid;
  /** `[frames, height, width]`; masks are 0 and 1. */
  readonly data: readonly number[];
  readonly min: number;
  readonly max: number;
}

/** Axes of a modality's grid, outermost first. */
const gridAxes: Readonly<Record<ModalityName, readonly string[]>> = {
  video: ["frame", "height", "width"],
  audio: ["step"],
};

/** Every named mask or number per token or cell: kept tokens, timesteps, weights of losses, and the strategy's own bindings. */
export function mapsOf({ values }: Observation, modality: ModalityName, grid: VideoGrid): readonly TokenMap[] {
  const shown = [...values.values()].filter(({ value: { key, type } }) => {
    // `generated` is the opposite of `keep`, so one of them is enough.
    if (/^(expect|share)\[/.test(key) || (key === `${modality}.generated` && values.has(`${modality}.keep`)))
      return false;
    return liesOn(type.axes, modality);
  });
  return shown.map((seen) => mapOf(seen, modality, grid));
}

/** Whether the axes are tokens or axes of the grid, and nothing else. */
function liesOn(axes: readonly string[], modality: ModalityName): boolean {
  const own = axes.filter((axis) => axis !== "batch");
  const onGrid = own.every((axis) => gridAxes[modality].includes(axis));
  return own.length > 0 && (onGrid || own.join() === `token:${modality}`);
}

function mapOf({ value, tensor }: Seen, modality: ModalityName, grid: VideoGrid): TokenMap {
  const axes = value.type.axes.filter((axis) => axis !== "batch");
  const shape = tensor.shape.slice(value.type.axes.length - axes.length);
  const isPerFrame = modality === "audio" || axes.join() === "frame";
  const shown = isPerFrame ? { frames: 1, height: 1, width: grid.frames } : grid;
  const data = Array.from({ length: shown.frames * shown.height * shown.width }, (_, cell) => {
    if (isPerFrame || axes[0] === `token:${modality}`) return tensor.data[cell] ?? NaN;
    return tensor.data[indexOf(axes, shape, cellIndexes(cell, grid))] ?? NaN;
  });
  const finite = data.filter(Number.isFinite);
  return {
    key: value.key,
    kind: value.type.dtype === "bool" ? "mask" : "numbers",
    columns: modality === "audio" ? "steps" : isPerFrame ? "frames" : "cells",
    grid: shown,
    data,
    min: finite.reduce((a, b) => Math.min(a, b), Infinity),
    max: finite.reduce((a, b) => Math.max(a, b), -Infinity),
  };
}

function cellIndexes(token: number, { height, width }: VideoGrid): Readonly<Record<string, number>> {
  return {
    frame: Math.floor(token / (height * width)),
    height: Math.floor(token / width) % height,
    width: token % width,
  };
}

/** The index of a cell in a value that has some of the grid's axes. */
function indexOf(axes: readonly string[], shape: readonly number[], cell: Readonly<Record<string, number>>): number {
  return axes.reduce((flat, axis, i) => flat * (shape[i] ?? 1) + (cell[axis] ?? 0), 0);
}
