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
        const parts = byUpdates(group, moments);
        const made = engine.tidy(() =>
          parts.map(({ members, t }, nth) => {
            const entries = members.map((i) => entryOf(parameters, gradients, moments, i));
            return updateAll(engine, entries, scalarsOf(engine, nth, t, rate), factor);
          }),
        );
        parts.forEach(({ members, t }, part) =>
          members.forEach((i, k) => {
            const [p, m, v] = [0, 1, 2].map((list) => made[part]?.[list * members.length + k]) as [
              Tensor,
              Tensor,
              Tensor,
            ];
            forget(i);
            moments[i] = { t, m, v };
            engine.dispose(parameters[i] ?? null);
            updated[i] = p;
          }),
        );
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

/** Parameters of a group, by how many updates they have with this one, `t`. */
function byUpdates(
  group: readonly number[],
  moments: readonly (Moments | null)[],
): { readonly t: number; readonly members: readonly number[] }[] {
  const parts = new Map<number, number[]>();
  for (const i of group) {
    const t = (moments[i]?.t ?? 0) + 1;
    parts.set(t, [...(parts.get(t) ?? []), i]);
  }
  return [...parts].map(([t, members]) => ({ t, members }));
}

/**
 * The scalars of `Ops.adamw`. They are rounded from double precision, since powers and differences would lose much of float32.
 * `nth`: names stay the same from update to update, for a recording engine goes by them.
 */
function scalarsOf({ ops }: Engine, nth: number, t: number, rate: number): Tensor[] {
  const scalars = {
    rate,
    t,
    decay: 1 - rate * WEIGHT_DECAY,
    spread: Math.sqrt(1 - BETA2 ** t),
    size: rate / (1 - BETA1 ** t),
  };
  return Object.entries(scalars).map(([name, x]) =>
    ops.input(`adamw.${name}.${nth}`, { shape: [], dtype: "float32", data: Float32Array.of(x) }),
  );
}

/** p ← p (1 - η λ);  m ← β1 m + (1 - β1) g;  v ← β2 v + (1 - β2) g²;  p ← p - η / (1 - β1^t) · m / (sqrt(v) / sqrt(1 - β2^t) + ε) */
function updateAll(
  { ops }: Engine,
  entries: readonly Entry[],
  scalars: readonly Tensor[],
  factor: Tensor | null,
): readonly Tensor[] {
  const lists = [
    entries.map(({ parameter }) => parameter),
    entries.map(({ gradient }) => gradient),
    entries.map(({ last }) => last.m),
    entries.map(({ last }) => last.v),
  ];
  return ops.adamw(factor === null ? scalars : [...scalars, factor], lists.flat(), [
    BETA1,
    BETA2,
    EPSILON,
    WEIGHT_DECAY,
  ]);
}

async function store(engine: Engine, { t, m, v }: Moments): Promise<StoredMoments> {
  return { t, m: await engine.read(m), v: await engine.read(v) };
}
