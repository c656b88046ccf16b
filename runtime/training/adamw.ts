import type { HostTensor, Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import type { Gradients } from "./gradients.ts";

/** Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, with PyTorch's defaults; the run config sets none of these. */
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;
const WEIGHT_DECAY = 0.01;

/** What the optimizer remembers of one parameter. */
interface Moments {
  /** Updates so far. */
  readonly t: number;
  /** Running means of the gradient and of its square, shaped like the parameter. */
  readonly m: Tensor;
  readonly v: Tensor;
}

/** The same on the host, for a training state. */
export interface StoredMoments {
  readonly t: number;
  readonly m: HostTensor;
  readonly v: HostTensor;
}

export interface AdamW {
  /**
   * One update with learning rate `rate`; gradients are multiplied by `factor`, a scalar on the device, if given. Returns the new
   * parameters in order and frees those that they replace. A parameter without a gradient is left as it is: no decay, no moments,
   * and its count of updates stands still.
   */
  update(parameters: readonly Tensor[], gradients: Gradients, rate: number, factor: Tensor | null): Tensor[];
  /** One entry per parameter, null for those that were never updated. */
  save(): Promise<(StoredMoments | null)[]>;
  restore(stored: readonly (StoredMoments | null)[]): void;
  dispose(): void;
}

/** An optimizer for `count` parameters. */
export function createAdamW(engine: Engine, count: number): AdamW {
  const moments: (Moments | null)[] = Array.from({ length: count }, () => null);
  const forget = (i: number) => {
    engine.dispose(moments[i]?.m ?? null, moments[i]?.v ?? null);
    moments[i] = null;
  };
  return {
    update: (parameters, gradients, rate, factor) =>
      parameters.map((parameter, i) => {
        const gradient = gradients[i] ?? null;
        if (gradient === null) return parameter;
        const { p, next } = updateOne(engine, parameter, gradient, moments[i] ?? null, rate, factor);
        forget(i);
        moments[i] = next;
        engine.dispose(parameter);
        return p;
      }),
    save: () => Promise.all(moments.map((entry) => (entry === null ? null : store(engine, entry)))),
    restore(stored) {
      stored.forEach((entry, i) => {
        forget(i);
        moments[i] = entry === null ? null : { t: entry.t, m: engine.keep(entry.m), v: engine.keep(entry.v) };
      });
    },
    dispose: () => moments.forEach((_, i) => forget(i)),
  };
}

/**
 * p ← p (1 - η λ);  m ← β1 m + (1 - β1) g;  v ← β2 v + (1 - β2) g²;  p ← p - η / (1 - β1^t) · m / (sqrt(v) / sqrt(1 - β2^t) + ε)
 */
function updateOne(
  engine: Engine,
  p: Tensor,
  gradient: Tensor,
  last: Moments | null,
  rate: number,
  factor: Tensor | null,
) {
  const { ops } = engine;
  const t = (last?.t ?? 0) + 1;
  const updated = engine.tidy(() => {
    const g = factor === null ? gradient : ops.mul(gradient, factor);
    const m = mix(engine, last?.m ?? null, g, BETA1);
    const v = mix(engine, last?.v ?? null, ops.square(g), BETA2);
    const spread = ops.add(ops.div(ops.sqrt(v), Math.sqrt(1 - BETA2 ** t)), EPSILON);
    const decayed = ops.mul(p, 1 - rate * WEIGHT_DECAY);
    return { m, v, p: ops.sub(decayed, ops.mul(ops.div(m, spread), rate / (1 - BETA1 ** t))) };
  });
  return { p: updated.p, next: { t, m: updated.m, v: updated.v } };
}

/** β · mean + (1 - β) · x, where the mean starts at 0. */
function mix({ ops }: Engine, mean: Tensor | null, x: Tensor, beta: number): Tensor {
  const added = ops.mul(x, 1 - beta);
  return mean === null ? added : ops.add(ops.mul(mean, beta), added);
}

async function store(engine: Engine, { t, m, v }: Moments): Promise<StoredMoments> {
  return { t, m: await engine.read(m), v: await engine.read(v) };
}
