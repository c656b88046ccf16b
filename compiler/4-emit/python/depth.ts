/** Python takes no more than 200 brackets in each other, and nobody can read nearly as many: deep values are written in several steps. */
import { childrenOf, sizeOf, type Core } from "../../2-check/core.ts";

/** Levels of operations that one statement has at most; each takes a few brackets. */
const LEVELS = 20;

const depths = new WeakMap<Core, number>();

function depthOf(core: Core): number {
  const known = depths.get(core);
  if (known !== undefined) return known;
  const depth = childrenOf(core).reduce((deepest, child) => Math.max(deepest, depthOf(child)), 0) + 1;
  depths.set(core, depth);
  return depth;
}

/** Whether a value is to get a name of its own: on every way inwards, one in `LEVELS` is. */
export function isDeep(core: Core): boolean {
  return sizeOf(core) >= LEVELS && depthOf(core) % LEVELS === 0;
}
