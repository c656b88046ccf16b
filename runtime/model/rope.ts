import type { HostTensor, Ops, Tensor } from "../contract.ts";
import { frequencyGrid } from "./rope-grid.ts";

export type RopeType = "split" | "interleaved";

/** What a rotary table depends on besides the positions. */
export interface RopeSpec {
  readonly type: RopeType;
  /** Width of the queries and keys, all heads together. */
  readonly width: number;
  readonly heads: number;
  readonly theta: number;
  /** One normaliser per position axis, in the unit of that axis. */
  readonly maxPos: readonly number[];
  /** Whether the frequency grid is computed in float64. */
  readonly double: boolean;
}

/** Split: `[B, H, T, width / (2 H)]`; interleaved: `[B, T, width]`, each value twice. */
export interface RopeTables<T = HostTensor> {
  readonly cos: T;
  readonly sin: T;
}

const { fround } = Math;

/**
 * Rotary tables of `positions`, `[B, P, T, 2]` (bounds; their midpoint counts) or `[B, P, T]`. On the host, since
 * angles reach thousands of radians: every step is rounded to float32 in the order midpoint, / maxPos, * 2, - 1, * frequency. They are
 * computed when their numbers are asked for, which a plan of a run never does.
 */
export function ropeTables(spec: RopeSpec, positions: HostTensor): RopeTables {
  const [batch = 0, axes = 0, tokens = 0] = positions.shape;
  if (axes !== spec.maxPos.length) throw new Error(`positions have ${axes} axes, max_pos has ${spec.maxPos.length}`);
  const shape =
    spec.type === "split" ? [batch, spec.heads, tokens, spec.width / (2 * spec.heads)] : [batch, tokens, spec.width];
  let made: RopeTables<Float32Array> | null = null;
  const table = (which: keyof RopeTables): HostTensor => ({
    shape,
    dtype: "float32",
    get data() {
      made ??= filledTables(spec, positions);
      return made[which];
    },
  });
  return { cos: table("cos"), sin: table("sin") };
}

function filledTables(spec: RopeSpec, positions: HostTensor): RopeTables<Float32Array> {
  const [batch = 0, axes = 0, tokens = 0] = positions.shape;
  const grid = frequencyGrid(Math.floor(spec.width / (2 * axes)), spec.theta, spec.double);
  const size = batch * tokens * (spec.type === "split" ? spec.width / 2 : spec.width);
  // Entries in front of the first frequency turn nothing: cos 1, sin 0.
  const [cos, sin] = [new Float32Array(size).fill(1), new Float32Array(size)];
  const write = spec.type === "split" ? splitWriter(spec, axes, tokens) : interleavedWriter(spec, axes);
  const turns = spec.maxPos.map((maxPos) => turnsBy(grid, maxPos));
  for (let row = 0; row < batch * tokens; row++) {
    const [sample, token] = [Math.floor(row / tokens), row % tokens];
    turns.forEach((turn, axis) => {
      const turned = turn(midpoint(positions, (sample * axes + axis) * tokens + token));
      write(row, axis, turned.cos, cos);
      write(row, axis, turned.sin, sin);
    });
  }
  return { cos, sin };
}

/** Cosine and sine of a position's angles. Tokens share positions, row by row and frame by frame: each is computed once. */
function turnsBy(grid: Float32Array, maxPos: number): (position: number) => RopeTables<Float32Array> {
  const known = new Map<number, RopeTables<Float32Array>>();
  return (position) => {
    const found = known.get(position);
    if (found !== undefined) return found;
    const u = fround(fround(position / maxPos) * 2 - 1);
    const angles = grid.map((frequency) => frequency * u);
    const made = { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
    known.set(position, made);
    return made;
  };
}

/** The `index`-th position, which is a midpoint where the positions are bounds. */
function midpoint({ shape, data }: HostTensor, index: number): number {
  const isBounds = shape.length === 4;
  return isBounds ? fround((data[2 * index] ?? 0) + (data[2 * index + 1] ?? 0)) / 2 : (data[index] ?? 0);
}

/** Writes what one axis gives to a token, whose number counts through all samples: its k-th value is the entry k * axes + axis. */
type Writer = (row: number, axis: number, values: Float32Array, table: Float32Array) => void;

/** Head h owns the entries from h * width / (2 H) on, so heads see different frequencies; padding goes to head 0. */
function splitWriter({ width, heads }: RopeSpec, axes: number, tokens: number): Writer {
  const perHead = width / (2 * heads);
  const count = Math.floor(width / (2 * axes));
  const padding = width / 2 - count * axes;
  const places = Int32Array.from({ length: count * axes }, (_, entry) => {
    const head = Math.floor((entry + padding) / perHead);
    return head * tokens * perHead + ((entry + padding) % perHead);
  });
  return (row, axis, values, table) => {
    const sample = Math.floor(row / tokens);
    const start = (sample * heads * tokens + (row % tokens)) * perHead;
    for (let k = 0; k < count; k++) table[start + (places[k * axes + axis] ?? 0)] = values[k] ?? 0;
  };
}

/** Each value twice. */
function interleavedWriter({ width }: RopeSpec, axes: number): Writer {
  const padding = width % (2 * axes);
  return (row, axis, values, table) => {
    for (let k = 0; k < values.length; k++) {
      const at = row * width + padding + 2 * (k * axes + axis);
      table[at] = table[at + 1] = values[k] ?? 0;
    }
  };
}

/** Turns queries or keys `[B, T, width]` and splits them into heads: `[B, H, T, width / H]`. Without tables it only splits. */
export function rotateIntoHeads(ops: Ops, x: Tensor, heads: number, tables: RopeTables<Tensor> | null): Tensor {
  if (tables === null) return splitHeads(ops, x, heads);
  const { cos, sin } = tables;
  return cos.shape.length === 4
    ? ops.rotate(splitHeads(ops, x, heads), cos, sin, "halves")
    : splitHeads(ops, ops.rotate(x, cos, sin, "neighbours"), heads);
}

/** `[B, T, H * d]` to `[B, H, T, d]`. */
export function splitHeads(ops: Ops, x: Tensor, heads: number): Tensor {
  const [batch = 0, tokens = 0, width = 0] = x.shape;
  return ops.transpose(ops.reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
}
