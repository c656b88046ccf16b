import { valuesOf, type Graph } from "./graph.ts";
import { productFlopsOf } from "./cost.ts";
import { removeDeadCode } from "./passes/dead-code.ts";

/**
 * Floating-point operations of the matrix products that a recorded graph asks for. What a checkpointed block computes a second time does
 * not count, as in the usual definition of model FLOPs (Chowdhery et al. 2022, "PaLM", arXiv:2204.02311, appendix B).
 */
export function modelFlops(graph: Graph): number {
  const needed = removeDeadCode(graph);
  const values = valuesOf(needed);
  // Of what is computed again, only layers going forward are a repetition: their gradients are computed there for the first time.
  const again = new Set<string>();
  let flops = 0;
  for (const node of needed.nodes) {
    const isAgain = node.op === "After" || (!node.op.includes("Grad") && node.inputs.some((name) => again.has(name)));
    if (isAgain) for (const { name } of node.outputs) again.add(name);
    else flops += productFlopsOf(node, values);
  }
  return flops;
}
