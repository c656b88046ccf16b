import type { Ops, Tensor } from "../contract.ts";

/** How strongly one modality is led away from each of the worse results. */
export interface Scales {
  /** 1: not at all. */
  readonly cfg: number;
  /** 0: not at all. */
  readonly stg: number;
  /** 1: not at all. */
  readonly modality: number;
}

export const neutral: Scales = { cfg: 1, stg: 0, modality: 1 };

/** What the model takes for the clean sample, `[1, T, C]` each: as it is, and as it is made worse on purpose. */
export interface Guesses {
  readonly conditional: Tensor;
  /** With the negative caption. */
  readonly negative: Tensor | null;
  /** Without self-attention in some blocks. */
  readonly perturbed: Tensor | null;
  /** Without attention between the modalities. */
  readonly isolated: Tensor | null;
}

/**
 * Leads away from the worse guesses: c + (cfg - 1)(c - negative) + stg (c - perturbed) + (modality - 1)(c - isolated), scaled back
 * towards the spread of c by `rescale` in [0, 1].
 */
export function guide(ops: Ops, guesses: Guesses, scales: Scales, rescale: number): Tensor {
  const { conditional: c, negative, perturbed, isolated } = guesses;
  const away = (from: Tensor | null, scale: number): Tensor[] =>
    from === null || scale === 0 ? [] : [ops.mul(ops.sub(c, from), scale)];
  const parts = [
    ...away(negative, scales.cfg - 1),
    ...away(perturbed, scales.stg),
    ...away(isolated, scales.modality - 1),
  ];
  const guided = parts.reduce((sum, part) => ops.add(sum, part), c);
  if (rescale === 0 || parts.length === 0) return guided;
  const ratio = ops.div(deviation(ops, c), deviation(ops, guided));
  return ops.mul(guided, ops.add(ops.mul(ratio, rescale), 1 - rescale));
}

/** The standard deviation of all values, unbiased. */
function deviation(ops: Ops, x: Tensor): Tensor {
  const count = x.shape.reduce((a, b) => a * b, 1);
  const squares = ops.sum(ops.square(ops.sub(x, ops.mean(x))));
  return ops.sqrt(ops.div(squares, count - 1));
}

/** What the model takes for the clean sample: x - v times the noise level of each token, `[1, T, 1]`. */
export function cleanGuess(ops: Ops, x: Tensor, velocity: Tensor, levels: Tensor): Tensor {
  return ops.sub(x, ops.mul(velocity, levels));
}

/**
 * Where a step of the sampler begins, `sigma`, and how far it goes, `change`: next sigma minus this one. As tensors `[1]`, so that a recorded
 * step serves all levels.
 */
export interface Levels {
  readonly sigma: Tensor;
  readonly change: Tensor;
}

/** One step of Euler's method along the straight line from `x` at `sigma` to the clean sample. */
export function eulerStep(ops: Ops, x: Tensor, clean: Tensor, { sigma, change }: Levels): Tensor {
  return ops.add(x, ops.mul(ops.div(ops.sub(x, clean), sigma), change));
}
