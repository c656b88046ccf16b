import type { Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { inGroups } from "./on-engine.ts";

/** Averages of trained tensors, in the order of these. */
export interface Averages {
  tensors(): readonly Tensor[];
  /** Takes over new values; the old ones are already freed. */
  replace(tensors: readonly Tensor[]): void;
}

/**
 * The exponential moving average after an update: ē ← ē + (1 - δ) (p - ē). It starts as what the run begins with, without a correction for
 * that. A weight that stands still has itself as its average, to the bit.
 */
export function follow(engine: Engine, averages: Averages, trained: readonly Tensor[], decay: number): void {
  const { ops } = engine;
  const [old, next] = [averages.tensors(), [...averages.tensors()]];
  for (const group of inGroups(trained)) {
    const made = engine.tidy(() =>
      group.map((i) => {
        const [average, p] = [old[i], trained[i]] as [Tensor, Tensor];
        return ops.add(average, ops.mul(ops.sub(p, average), 1 - decay));
      }),
    );
    group.forEach((i, k) => {
      engine.dispose(old[i] ?? null);
      next[i] = made[k] as Tensor;
    });
  }
  averages.replace(next);
}
