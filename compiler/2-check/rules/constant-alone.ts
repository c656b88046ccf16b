import type { Binding } from "../checked.ts";
import type { Core } from "../core.ts";
import { allNodes } from "../dependencies.ts";

/** The pass that a value reads whose only predictions are constant to the gradient; null where it reads something that is trained, or no pass at all. */
export function constantAlone(
  core: Core,
  bindings: ReadonlyMap<string, Binding>,
): { readonly pass: string; readonly what: string } | null {
  let constant: string | null = null;
  for (const node of allNodes(core, bindings, ({ op }) => op === "passPrediction")) {
    if (node.op === "prediction" || node.op === "output") return null;
    if (node.op !== "passPrediction") continue;
    if (!node.isConstant) return null;
    constant ??= node.pass;
  }
  return constant === null ? null : { pass: constant, what: "weights that are not trained" };
}
