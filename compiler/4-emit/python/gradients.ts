/** Whether the loss has a gradient by way of what another call of the model predicts before the step's own. */
import { childrenOf, type Core } from "../../2-check/core.ts";
import type { Program } from "../../3-lower/program.ts";

/**
 * True where a pass with the trained weights predicts something before the step's own call that reaches the loss, or what the model is given,
 * by a way on which no gradient is stopped: what is prepared then keeps its gradients.
 */
export function hasOpenPass(program: Program): boolean {
  const { modalities, passes, prepare, loss, terms } = program;
  const trained = new Set(passes.flatMap(({ name, weights }) => (weights === "trained" ? [name] : [])));
  const byKey = new Map([...prepare, ...loss].map((statement) => [statement.key, statement.core]));
  const early = new Set(prepare.map(({ key }) => key));
  const given = modalities.map(({ name, generated }) => `${name}.${generated ? "noisy" : "clean"}`);
  const roots = terms.flatMap(({ core }) => openNodes(core));
  const keys = new Set([...given, ...roots.flatMap((node) => (node.op === "ref" ? [node.key] : []))]);
  // A set goes on with what is added to it meanwhile.
  for (const key of keys) {
    const core = byKey.get(key);
    for (const node of core === undefined ? [] : openNodes(core)) {
      if (node.op === "passPrediction" && trained.has(node.pass) && early.has(key)) return true;
      if (node.op === "ref") keys.add(node.key);
    }
  }
  return false;
}

/** A value and all that it is made of, but for what no gradient flows to. */
function openNodes(core: Core): readonly Core[] {
  if (core.op === "stopGradient" || core.op === "round") return [];
  return [core, ...childrenOf(core).flatMap(openNodes)];
}
