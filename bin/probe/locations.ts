/** Locations of a tensor's entries in the user's terms: sample, frame, row and column instead of one index. */
import type { StrategyInfo, VideoGrid } from "../../runtime/contract.ts";
import { sizesOf } from "../../runtime/index.ts";
import type { ModalityName, Observation, Seen } from "./observe.ts";

/** An index for each axis; for an axis of tokens also the indices on their grid (frame, row, column). */
export type Location = ReadonlyMap<string, number>;

/** A run of tokens of a sequence: a reference or, last, the target. */
export interface Part {
  /** Name of its source. */
  readonly source: string;
  readonly isTarget: boolean;
  /** Audio has `frames` steps of one row and column. */
  readonly grid: VideoGrid;
}

/** The parts of a modality's sequence, in their order. */
export function partsOf(strategy: StrategyInfo, observation: Observation, modality: ModalityName): readonly Part[] {
  const grid = gridsOf(strategy, observation);
  const target = strategy.modalities[modality]?.latents ?? "";
  return [...observation.references[modality], target].map((source) => ({
    source,
    isTarget: source === target,
    grid: grid(source),
  }));
}

/** The grid of a modality's target, or of a source; audio has its steps as frames. */
export function gridsOf({ modalities }: StrategyInfo, { batch }: Observation): (family: string) => VideoGrid {
  const sizes = sizesOf(batch);
  return (family) => {
    const source = family === "video" || family === "audio" ? (modalities[family]?.latents ?? "") : family;
    const { frames = 0, height = 0, width = 0, steps = 0 } = sizes[source] ?? {};
    return steps > 0 ? { frames: steps, height: 1, width: 1 } : { frames, height, width };
  };
}

export const tokensOf = ({ frames, height, width }: VideoGrid): number => frames * height * width;

/** Indices of the entry `flat` along each axis of a value. */
export function locationOf({ value, tensor }: Seen, flat: number, gridOf: (family: string) => VideoGrid): Location {
  const location = new Map<string, number>();
  let rest = flat;
  value.type.axes.toReversed().forEach((axis, i, { length }) => {
    const size = tensor.shape[length - 1 - i] ?? 1;
    location.set(axis, rest % size);
    rest = Math.floor(rest / size);
  });
  // Entries that are added during the loop are on the grid themselves, so they add nothing.
  for (const [axis, index] of location) {
    if (axis.startsWith("token:"))
      for (const [name, at] of onGrid(axis.slice(6), index, gridOf)) location.set(name, at);
  }
  return location;
}

function onGrid(family: string, token: number, gridOf: (family: string) => VideoGrid): (readonly [string, number])[] {
  const { height, width } = gridOf(family);
  if (family === "audio") return [["step", token]];
  const suffix = family === "video" ? "" : `:${family}`;
  return [
    [`frame${suffix}`, Math.floor(token / (height * width))],
    [`height${suffix}`, Math.floor(token / width) % height],
    [`width${suffix}`, token % width],
  ];
}

const words: Readonly<Record<string, string>> = { batch: "sample", height: "row", width: "column", token: "token" };

/** "sample 0, frame 1, row 0, column 3"; empty for a value without axes. */
export function describeLocation(location: Location): string {
  const hasGrid = [...location.keys()].some((axis) => axis.startsWith("frame") || axis === "step");
  return [...location]
    .filter(([axis]) => !(axis.startsWith("token:") && hasGrid))
    .map(([axis, index]) => {
      const [name = "", of] = axis.split(":");
      const source = of === undefined || of === "video" || of === "audio" ? "" : ` of ${of}`;
      return `${words[name] ?? name}${source} ${index}`;
    })
    .join(", ");
}

/** The entries of a value that agree with a location: one if both have the same axes, more if the value has further axes. */
export function entriesAt(seen: Seen, location: Location, gridOf: (family: string) => VideoGrid): number[] {
  const found: number[] = [];
  seen.tensor.data.forEach((entry, flat) => {
    const own = locationOf(seen, flat, gridOf);
    if ([...own].every(([axis, index]) => (location.get(axis) ?? index) === index)) found.push(entry);
  });
  return found;
}

/** `0.83`, `true`, `-1.2 to 3.4`, `true in 5 of 24`. */
export function describeEntries(entries: readonly number[], dtype: string): string {
  const [first = NaN] = entries;
  if (dtype === "bool") {
    const count = entries.filter((entry) => entry !== 0).length;
    if (count === 0 || count === entries.length) return count === 0 ? "false" : "true";
    return `true in ${count} of ${entries.length}`;
  }
  if (entries.length === 1) return shortNumber(first);
  const [low, high] = [minOf(entries), maxOf(entries)];
  return low === high ? shortNumber(low) : `${shortNumber(low)} to ${shortNumber(high)}`;
}

/** Six digits are what float32 can tell apart. */
export const shortNumber = (value: number): string => String(Number(value.toPrecision(6)));

const minOf = (values: readonly number[]): number =>
  values.reduce((a, b) => (b < a || Number.isNaN(b) ? b : a), Infinity);
const maxOf = (values: readonly number[]): number =>
  values.reduce((a, b) => (b > a || Number.isNaN(b) ? b : a), -Infinity);
