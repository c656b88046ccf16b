import type { Graph } from "../graph.ts";
import { mergeCommonSubexpressions } from "./common-subexpressions.ts";
import { removeDeadCode } from "./dead-code.ts";
import { suitWebGpu } from "./for-webgpu.ts";
import { widenLate } from "./late-casts.ts";
import { simplify } from "./simplify.ts";
import { splitWeights } from "./split-weights.ts";
import { addWithinProducts } from "./sums.ts";
import { turnWithinProducts } from "./turned-products.ts";

/** More ways through a graph than it takes in practice. */
const MOST_ROUNDS = 8;

/** What runs the graph, where the passes differ for it. */
interface Target {
  /** WebGPU computes in 32 bits and lacks some operators. */
  readonly isWebGpu?: boolean;
}

/** The same outputs from fewer nodes and smaller values, from nodes that the target has. */
export function optimize(graph: Graph, { isWebGpu = false }: Target = {}): Graph {
  let current = mergeCommonSubexpressions(removeDeadCode(graph));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const simplified = simplify(current);
    if (simplified === current) break;
    current = removeDeadCode(mergeCommonSubexpressions(simplified));
  }
  if (isWebGpu) return mergeCommonSubexpressions(suitWebGpu(addWithinProducts(current)));
  const fused = addWithinProducts(turnWithinProducts(current));
  return removeDeadCode(widenLate(mergeCommonSubexpressions(splitWeights(fused))));
}
