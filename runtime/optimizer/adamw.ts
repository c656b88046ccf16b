import type { Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { createOnEngine, scalarInput, type Alike, type Entry, type Rule } from "./on-engine.ts";
import type { Optimizer } from "./optimizer.ts";

/** Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, with PyTorch's defaults. */
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;
export const WEIGHT_DECAY = 0.01;

/** AdamW for `count` parameters; `decays` has the weight decay of each. */
export function createAdamW(
  engine: Engine,
  count: number,
  decays: readonly number[] = Array.from({ length: count }, () => WEIGHT_DECAY),
): Optimizer {
  const rule: Rule = {
    kinds: ["m", "v"],
    update: (entries, alike, { factor, name }) =>
      updateAll(engine, entries, { scalars: scalarsOf(engine, name, alike), factor, decay: alike.decay }),
  };
  return createOnEngine(engine, decays, rule);
}

/** The update of single numbers after `t` updates with this one, in double precision. */
export function adamwStep({ t, rate, decay }: Alike) {
  const [spread, size] = [Math.sqrt(1 - BETA2 ** t), rate / (1 - BETA1 ** t)];
  return (p: number, g: number, lastM: number, lastV: number) => {
    const m = BETA1 * lastM + (1 - BETA1) * g;
    const v = BETA2 * lastV + (1 - BETA2) * g * g;
    return { m, v, p: p * (1 - rate * decay) - (size * m) / (Math.sqrt(v) / spread + EPSILON) };
  };
}

/** The scalars of `Ops.adamw`. They are rounded from double precision, since powers and differences would lose much of float32. */
function scalarsOf({ ops }: Engine, name: (input: string) => string, { t, rate, decay }: Alike): Tensor[] {
  const scalars = {
    rate,
    t,
    decay: 1 - rate * decay,
    spread: Math.sqrt(1 - BETA2 ** t),
    size: rate / (1 - BETA1 ** t),
  };
  return Object.entries(scalars).map(([key, x]) => scalarInput(ops, name(`adamw.${key}`), x));
}

interface Settings {
  readonly scalars: readonly Tensor[];
  readonly factor: Tensor | null;
  readonly decay: number;
}

/** p ← p (1 - η λ);  m ← β1 m + (1 - β1) g;  v ← β2 v + (1 - β2) g²;  p ← p - η / (1 - β1^t) · m / (sqrt(v) / sqrt(1 - β2^t) + ε) */
function updateAll({ ops }: Engine, entries: readonly Entry[], { scalars, factor, decay }: Settings) {
  const lists = [
    entries.map(({ parameter }) => parameter),
    entries.map(({ gradient }) => gradient),
    ...[0, 1].map((kind) => entries.map(({ kept }) => kept[kind] as Tensor)),
  ];
  return ops.adamw(factor === null ? scalars : [...scalars, factor], lists.flat(), [BETA1, BETA2, EPSILON, decay]);
}
