import type { Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { createOnEngine, inOne, mix, scalarInput, type Alike, type Entry, type Rule } from "./on-engine.ts";
import type { Optimizer } from "./optimizer.ts";

export interface ProdigyParams {
  /** The first estimate of the distance; it only grows. */
  readonly d0: number;
  /** What the estimate is multiplied by. */
  readonly d_coef: number;
  /** By how much the estimate may grow from update to update; null for any. */
  readonly growth_rate: number | null;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Whether gradients of a warm-up, with its small learning rates, weigh as much as later ones, so that the estimate stays small. */
  readonly safeguard_warmup: boolean;
}

/** What is remembered besides moments. `numerator` has the sum over the gradients, `largest` the largest estimate so far. */
interface Numbers {
  readonly d: number;
  readonly largest: number;
  readonly numerator: number;
}

/**
 * Mishchenko and Defazio, "Prodigy: an expeditiously adaptive parameter-free learner", 2023: Algorithm 4, the form of Adam, with decoupled weight
 * decay. γ is the learning rate, 1 or a schedule from 1 down; β3 = sqrt(β2). Both sums are divided by d0 (1 - β3), which cancels out:
 *
 *     m ← β1 m + (1 - β1) d g;  v ← β2 v + (1 - β2) d² g²
 *     r ← β3 r + γ d² / d0 · <g, start - p>;  s ← β3 s + γ d² / d0 · g
 *     p ← p (1 - γ d λ) - γ d · m / (sqrt(v) + d ε)
 *     d ← max(d, d_coef · r / |s|), where |s| is the sum of its absolute values
 *
 * `r` and the norm of `s` are of all parameters together, so all have one estimate.
 */
export function createProdigy(engine: Engine, decays: readonly number[], params: ProdigyParams): Optimizer {
  let numbers: Numbers = { d: params.d0, largest: params.d0, numerator: 0 };
  const rule: Rule = {
    kinds: ["m", "v", "s", "start"],
    sums: 2,
    update: (entries, alike, { factor, name }) =>
      updateAll(engine, entries, { ...scalarsOf(engine, name, alike, { params, d: numbers.d }), params, factor }),
    told: ([progress = NaN, norm = NaN]) => {
      numbers = estimated(numbers, progress, norm, params);
    },
  };
  const { restore, ...optimizer } = createOnEngine(engine, decays, rule);
  return {
    ...optimizer,
    stepSize: () => numbers.d,
    numbers: () => ({ ...numbers }),
    restore(stored, { d = params.d0, largest = params.d0, numerator = 0 } = {}) {
      restore(stored);
      numbers = { d, largest, numerator };
    },
  };
}

/** The estimate after an update whose gradients add `progress` to the numerator. */
function estimated({ d, largest, numerator }: Numbers, progress: number, norm: number, params: ProdigyParams): Numbers {
  const { d0, d_coef, growth_rate, beta2 } = params;
  const sum = Math.sqrt(beta2) * numerator + progress;
  // Nothing has moved yet.
  if (!(norm > 0)) return { d, largest, numerator: sum };
  const found = (d_coef * sum) / norm;
  const most = Math.max(largest, found);
  // The first growth is not limited: d0 is far below anything that trains.
  const from = d === d0 ? Math.max(d, found) : d;
  return { d: Math.min(most, growth_rate === null ? Infinity : from * growth_rate), largest: most, numerator: sum };
}

interface Scalars {
  readonly d: Tensor;
  readonly dSquared: Tensor;
  /** γ d, and 1 - γ d λ. */
  readonly size: Tensor;
  readonly shrink: Tensor;
  /** What gradients count in `r` and in `s`. */
  readonly ofR: Tensor;
  readonly ofS: Tensor;
  /** d ε */
  readonly floor: Tensor;
}

function scalarsOf(
  { ops }: Engine,
  name: (input: string) => string,
  { rate, decay }: Alike,
  { params: { d0, epsilon, safeguard_warmup }, d }: { readonly params: ProdigyParams; readonly d: number },
): Scalars {
  const input = (key: string, x: number) => scalarInput(ops, name(`prodigy.${key}`), x);
  return {
    d: input("d", d),
    dSquared: input("d2", d * d),
    size: input("size", rate * d),
    shrink: input("shrink", 1 - rate * d * decay),
    ofR: input("r", (rate * d * d) / d0),
    ofS: input("s", ((safeguard_warmup ? 1 : rate) * d * d) / d0),
    floor: input("floor", d * epsilon),
  };
}

type Settings = Scalars & { readonly params: ProdigyParams; readonly factor: Tensor | null };

function updateAll({ ops }: Engine, entries: readonly Entry[], settings: Settings): readonly Tensor[] {
  const { d, dSquared, size, shrink, ofR, ofS, floor, params, factor } = settings;
  const { beta1, beta2 } = params;
  const updated = entries.map(({ parameter, gradient, kept }) => {
    const [lastM, lastV, lastS, start] = kept as [Tensor, Tensor, Tensor, Tensor];
    const g = factor === null ? gradient : ops.mul(gradient, factor);
    const m = mix(ops, lastM, ops.mul(g, d), beta1);
    const v = mix(ops, lastV, ops.mul(ops.square(g), dSquared), beta2);
    const s = ops.add(ops.mul(lastS, Math.sqrt(beta2)), ops.mul(g, ofS));
    const r = ops.mul(ops.sum(ops.mul(g, ops.sub(start, parameter))), ofR);
    const step = ops.mul(ops.div(m, ops.add(ops.sqrt(v), floor)), size);
    return { p: ops.sub(ops.mul(parameter, shrink), step), m, v, s, r, norm: ops.sum(ops.abs(s)) };
  });
  const total = (xs: readonly Tensor[]) => ops.sum(inOne(ops, xs));
  const lists = (["p", "m", "v", "s"] as const).map((key) => updated.map((each) => each[key]));
  return [...lists.flat(), total(updated.map(({ r }) => r)), total(updated.map(({ norm }) => norm))];
}
