import type { Ops, Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { createOnEngine, mix, scalarInput, type Rule } from "./on-engine.ts";
import type { Optimizer } from "./optimizer.ts";

export interface LionParams {
  /** How much of the momentum goes into the direction of an update. */
  readonly beta1: number;
  /** How much of it is kept. */
  readonly beta2: number;
}

/**
 * Chen et al., "Symbolic discovery of optimization algorithms", 2023, with decoupled weight decay; `decays` has that of each parameter.
 * p ← p (1 - η λ) - η sign(β1 m + (1 - β1) g);  m ← β2 m + (1 - β2) g
 */
export function createLion(engine: Engine, decays: readonly number[], { beta1, beta2 }: LionParams): Optimizer {
  const { ops } = engine;
  const rule: Rule = {
    kinds: ["m"],
    update(entries, { rate, decay }, { factor, name }) {
      const [size, shrink] = [
        scalarInput(ops, name("lion.0"), rate),
        scalarInput(ops, name("lion.1"), 1 - rate * decay),
      ];
      const updated = entries.map(({ parameter, gradient, kept: [last] }) => {
        const g = factor === null ? gradient : ops.mul(gradient, factor);
        const step = ops.mul(signOf(ops, mix(ops, last as Tensor, g, beta1)), size);
        return { p: ops.sub(ops.mul(parameter, shrink), step), m: mix(ops, last as Tensor, g, beta2) };
      });
      return [...updated.map(({ p }) => p), ...updated.map(({ m }) => m)];
    },
  };
  return createOnEngine(engine, decays, rule);
}

/** -1, 0 or 1. */
const signOf = (ops: Ops, x: Tensor): Tensor => ops.sub(ops.float(ops.greater(x, 0)), ops.float(ops.less(x, 0)));
