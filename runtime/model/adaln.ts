import type { HostTensor, ModalityInputs, Ops, Tensor } from "../contract.ts";
import { sinusoidChannels } from "./parameters.ts";
import type { Module } from "./module.ts";

const { fround } = Math;

/**
 * Frequencies 10000^(-i / 128). The exponent is rounded to float32 at each step and its power once: angles reach 1000, so that
 * one unit in the last place of a frequency shows.
 */
const frequencies: HostTensor = {
  shape: [1, sinusoidChannels / 2],
  dtype: "float32",
  data: Float32Array.from({ length: sinusoidChannels / 2 }, (_, i) => {
    const exponent = fround(fround(-Math.log(10000)) * i);
    return Math.exp(fround(exponent / (sinusoidChannels / 2)));
  }),
};

/** Cosines, then sines, of `t [n]` (already scaled): `[n, 256]`. */
export function timestepSinusoid(ops: Ops, t: Tensor): Tensor {
  const angles = ops.mul(ops.reshape(t, [-1, 1]), ops.constant(frequencies));
  return ops.concat([ops.cos(angles), ops.sin(angles)], 1);
}

interface Modulation {
  /** `[B, N, D]` each, N timesteps of a sample. */
  readonly rows: readonly Tensor[];
  /** The embedded timestep before its silu, `[B, N, D]`; the output head uses it. */
  readonly embedded: Tensor;
}

/** The timesteps of a sample that are embedded. */
export interface TimestepLevels {
  /** `[B, N]`: one for each token, or where all are a sample's sigma or 0, those two. */
  readonly values: Tensor;
  /** bool `[B, T, 1]`: of two levels, where the second one holds; null for one level per token. */
  readonly isClean: Tensor | null;
}

export function timestepLevels(ops: Ops, { timesteps, sigma, twoLevels }: ModalityInputs): TimestepLevels {
  if (twoLevels !== true) return { values: timesteps, isClean: null };
  const [batch = 0, tokens = 0] = timesteps.shape;
  const level = ops.reshape(sigma, [batch, 1]);
  return {
    values: ops.concat([level, ops.fill([batch, 1], 0)], 1),
    isClean: ops.reshape(ops.equal(timesteps, 0), [batch, tokens, 1]),
  };
}

/** What was made of a sample's timesteps, `[B, N, D]`, for its tokens, `[B, T, D]`. */
export function spread(ops: Ops, isClean: TimestepLevels["isClean"], x: Tensor): Tensor {
  if (isClean === null) return x;
  const [batch = 0] = x.shape;
  const nth = (i: number) => ops.slice(x, [0, i, 0], [batch, 1, -1]);
  return ops.where(isClean, nth(1), nth(0));
}

/** Modulation rows of scaled timesteps `t`, `[B]` or `[B, N]` (N = 1 applies to all tokens). `module` is one AdaLN. */
export function adaln(module: Module, t: Tensor, count: number): Modulation {
  const { ops } = module;
  const embedder = module.at("emb.timestep_embedder.");
  const hidden = ops.silu(embedder.linear("linear_1", timestepSinusoid(ops, t)));
  const embedded = embedder.linear("linear_2", hidden);
  const all = module.linear("linear", ops.silu(embedded));
  const [batch = 0] = t.shape;
  const [steps = 0, width = 0] = embedded.shape;
  const perSample = (x: Tensor) => ops.reshape(x, [batch, steps / batch, width]);
  const row = (i: number) => perSample(ops.slice(all, [0, i * width], [steps, width]));
  return { rows: Array.from({ length: count }, (_, i) => row(i)), embedded: perSample(embedded) };
}

/** Row `i` of a `[rows, D]` table plus the timestep's row `[B, N, D]`, if there is one. */
export function modulationRow(ops: Ops, table: Tensor, i: number, timestep: Tensor | undefined): Tensor {
  const [, width = 0] = table.shape;
  const row = ops.reshape(ops.slice(table, [i, 0], [1, width]), [width]);
  return timestep === undefined ? row : ops.add(timestep, row);
}
