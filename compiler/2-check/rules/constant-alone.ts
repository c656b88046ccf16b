import type { Binding } from "../checked.ts";
import { childrenOf, type Core } from "../core.ts";

/** The pass that a value reads whose only predictions are constant to the gradient; null where it reads something that is trained, or no pass at all. */
export function constantAlone(
  core: Core,
  bindings: ReadonlyMap<string, Binding>,
): { readonly pass: string; readonly what: string } | null {
  let constant: string | null = null;
  const seen = new Set<string>();
  const left = [core];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.op === "prediction" || node.op === "output") return null;
    if (node.op === "passPrediction") {
      if (!node.isConstant) return null;
      constant ??= node.pass;
      continue;
    }
    left.push(...childrenOf(node));
    if (node.op !== "ref" || seen.has(node.key)) continue;
    seen.add(node.key);
    const target = bindings.get(node.key)?.core;
    if (target !== undefined) left.push(target);
  }
  return constant === null ? null : { pass: constant, what: "weights that are not trained" };
}
