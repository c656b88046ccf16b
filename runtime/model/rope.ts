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
 * angles reach thousands of radians: every step is rounded to float32 in the order midpoint, / maxPos, * 2, - 1, * frequency.
 */
export function ropeTables(spec: RopeSpec, positions: HostTensor): RopeTables {
  const [batch = 0, axes = 0, tokens = 0] = positions.shape;
  if (axes !== spec.maxPos.length) throw new Error(`positions have ${axes} axes, max_pos has ${spec.maxPos.length}`);
  const grid = frequencyGrid(Math.floor(spec.width / (2 * axes)), spec.theta, spec.double);
  const shape =
    spec.type === "split" ? [batch, spec.heads, tokens, spec.width / (2 * spec.heads)] : [batch, tokens, spec.width];
  const size = shape.reduce((a, b) => a * b, 1);
  // Entries in front of the first frequency turn nothing: cos 1, sin 0.
  const [cos, sin] = [new Float32Array(size).fill(1), new Float32Array(size)];
  const place = spec.type === "split" ? placeSplit(spec, axes, tokens) : placeInterleaved(spec, axes, tokens);
  for (let sample = 0; sample < batch; sample++) {
    for (let token = 0; token < tokens; token++) {
      for (let axis = 0; axis < axes; axis++) {
        const u = normalised(positions, (sample * axes + axis) * tokens + token, spec.maxPos[axis] ?? 1);
        grid.forEach((frequency, k) => {
          const angle = fround(frequency * u);
          place(sample, token, k * axes + axis, Math.cos(angle), cos);
          place(sample, token, k * axes + axis, Math.sin(angle), sin);
        });
      }
    }
  }
  return { cos: { shape, dtype: "float32", data: cos }, sin: { shape, dtype: "float32", data: sin } };
}

/** 2 p / maxPos - 1 of the `index`-th position, which is a midpoint where the positions are bounds. */
function normalised({ shape, data }: HostTensor, index: number, maxPos: number): number {
  const bounds = shape.length === 4;
  const p = bounds ? fround((data[2 * index] ?? 0) + (data[2 * index + 1] ?? 0)) / 2 : (data[index] ?? 0);
  return fround(fround(p / maxPos) * 2 - 1);
}

type Place = (sample: number, token: number, entry: number, value: number, table: Float32Array) => void;

/** Head h owns the entries from h * width / (2 H) on, so heads see different frequencies; padding goes to head 0. */
function placeSplit({ width, heads }: RopeSpec, axes: number, tokens: number): Place {
  const perHead = width / (2 * heads);
  const padding = width / 2 - Math.floor(width / (2 * axes)) * axes;
  return (sample, token, entry, value, table) => {
    const head = Math.floor((entry + padding) / perHead);
    table[((sample * heads + head) * tokens + token) * perHead + ((entry + padding) % perHead)] = value;
  };
}

function placeInterleaved({ width }: RopeSpec, axes: number, tokens: number): Place {
  const padding = width % (2 * axes);
  return (sample, token, entry, value, table) => {
    table.fill(
      value,
      (sample * tokens + token) * width + padding + 2 * entry,
      (sample * tokens + token) * width + padding + 2 * entry + 2,
    );
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
