import type { Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import type { Gradients } from "./gradients.ts";
import type { Optimizer, StoredMoments } from "./optimizer.ts";

/** Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, with PyTorch's defaults; the run config sets none of these. */
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;
const WEIGHT_DECAY = 0.01;

/** What AdamW remembers of one parameter. */
interface Moments {
  /** Updates so far. */
  readonly t: number;
  /** Running means of the gradient and of its square, shaped like the parameter. */
  readonly m: Tensor;
  readonly v: Tensor;
}

/** AdamW for `count` parameters. */
export function createAdamW(engine: Engine, count: number): Optimizer {
  const moments: (Moments | null)[] = Array.from({ length: count }, () => null);
  const forget = (i: number) => {
    engine.dispose(moments[i]?.m ?? null, moments[i]?.v ?? null);
    moments[i] = null;
  };
  return {
    async update(parameters, gradients, rate, factor) {
      const updated = [...parameters];
      for (const group of groupsOf(parameters, gradients)) {
        // The first update computes what all others do, for an engine that records.
        for (const i of group) moments[i] ??= fresh(engine, parameters[i] as Tensor);
        const made = engine.tidy(() => {
          const coefficients = new Map<number, Coefficients>();
          return group.map((i) =>
            updateOne(engine, entryOf(parameters, gradients, moments, i), rate, factor, coefficients),
          );
        });
        group.forEach((i, k) => {
          const { p, t, m, v } = made[k] as Updated;
          forget(i);
          moments[i] = { t, m, v };
          engine.dispose(parameters[i] ?? null);
          updated[i] = p;
        });
      }
      return updated;
    },
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

/** The update of single numbers after `t` updates with this one, in double precision. */
export function adamwStep(t: number, rate: number) {
  const [spread, size] = [Math.sqrt(1 - BETA2 ** t), rate / (1 - BETA1 ** t)];
  return (p: number, g: number, lastM: number, lastV: number) => {
    const m = BETA1 * lastM + (1 - BETA1) * g;
    const v = BETA2 * lastV + (1 - BETA2) * g * g;
    return { m, v, p: p * (1 - rate * WEIGHT_DECAY) - (size * m) / (Math.sqrt(v) / spread + EPSILON) };
  };
}

/** A group is updated at once, so that an engine that records makes one graph of it; old and new values are there together. */
const GROUP_ELEMENTS = 2 ** 24;

/** The parameters that have a gradient, in groups of a limited number of elements. */
function groupsOf(parameters: readonly Tensor[], gradients: Gradients): number[][] {
  const groups: number[][] = [];
  let room = 0;
  parameters.forEach(({ shape }, i) => {
    if ((gradients[i] ?? null) === null) return;
    const elements = shape.reduce((a, b) => a * b, 1);
    if (room < elements) {
      groups.push([]);
      room = GROUP_ELEMENTS;
    }
    room -= elements;
    groups.at(-1)?.push(i);
  });
  return groups;
}

interface Entry {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly last: Moments;
}

function entryOf(
  parameters: readonly Tensor[],
  gradients: Gradients,
  moments: readonly (Moments | null)[],
  i: number,
): Entry {
  const [parameter, gradient, last] = [parameters[i], gradients[i], moments[i]];
  if (parameter === undefined || !gradient || !last) throw new Error(`parameter ${i} has no gradient`);
  return { parameter, gradient, last };
}

/** Means of nothing yet. */
function fresh(engine: Engine, { shape }: Tensor): Moments {
  const zeros = () =>
    engine.keep({ shape, dtype: "float32", data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  return { t: 0, m: zeros(), v: zeros() };
}

/** Scalars that change from update to update. */
interface Coefficients {
  /** 1 - η λ */
  readonly decay: Tensor;
  /** sqrt(1 - β2^t) */
  readonly spread: Tensor;
  /** η / (1 - β1^t) */
  readonly size: Tensor;
}

/** `nth`: names stay the same from update to update, for a recording engine goes by them. */
function coefficientsOf({ ops }: Engine, nth: number, t: number, rate: number): Coefficients {
  const input = (name: string, x: number) =>
    ops.input(`adamw.${name}.${nth}`, { shape: [], dtype: "float32", data: Float32Array.of(x) });
  return {
    decay: input("decay", 1 - rate * WEIGHT_DECAY),
    spread: input("spread", Math.sqrt(1 - BETA2 ** t)),
    size: input("size", rate / (1 - BETA1 ** t)),
  };
}

interface Updated extends Moments {
  readonly p: Tensor;
}

/**
 * p ← p (1 - η λ);  m ← β1 m + (1 - β1) g;  v ← β2 v + (1 - β2) g²;  p ← p - η / (1 - β1^t) · m / (sqrt(v) / sqrt(1 - β2^t) + ε)
 */
function updateOne(
  engine: Engine,
  { parameter, gradient, last }: Entry,
  rate: number,
  factor: Tensor | null,
  coefficients: Map<number, Coefficients>,
): Updated {
  const { ops } = engine;
  const t = last.t + 1;
  const { decay, spread, size } = coefficients.get(t) ?? coefficientsOf(engine, coefficients.size, t, rate);
  coefficients.set(t, { decay, spread, size });
  return engine.tidy(() => {
    const g = factor === null ? gradient : ops.mul(gradient, factor);
    const m = mix(engine, last.m, g, BETA1);
    const v = mix(engine, last.v, ops.square(g), BETA2);
    const root = ops.add(ops.div(ops.sqrt(v), spread), EPSILON);
    return { t, m, v, p: ops.sub(ops.mul(parameter, decay), ops.mul(ops.div(m, root), size)) };
  });
}

/** β · mean + (1 - β) · x */
function mix({ ops }: Engine, mean: Tensor, x: Tensor, beta: number): Tensor {
  return ops.add(ops.mul(mean, beta), ops.mul(x, 1 - beta));
}

async function store(engine: Engine, { t, m, v }: Moments): Promise<StoredMoments> {
  return { t, m: await engine.read(m), v: await engine.read(v) };
}
