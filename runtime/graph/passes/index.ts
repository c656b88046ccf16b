import type { Graph } from "../graph.ts";
import { mergeCommonSubexpressions } from "./common-subexpressions.ts";
import { removeDeadCode } from "./dead-code.ts";
import { adaptToWebGpu } from "./for-webgpu.ts";
import { dequantizeLate } from "./late-dequantize.ts";
import { widenLate } from "./late-casts.ts";
import { sidesLate } from "./late-sides.ts";
import { simplify } from "./simplify.ts";
import { splitWeights } from "./split-weights.ts";
import { fuseSums } from "./fuse-sums.ts";
import { fuseTransposes } from "./fuse-transposes.ts";

/** Rounds of simplification at most; in practice it takes fewer. */
const MOST_ROUNDS = 8;

/** What the passes must know of the provider that runs the graph. */
interface Target {
  /** WebGPU computes in 32 bits and lacks some operators. */
  readonly isWebGpu?: boolean;
  /** Takes weights of 16 bits as they are stored, and transposes operands of products without copying them. */
  readonly isTorch?: boolean;
}

/** Computes the same outputs with fewer nodes and smaller values, and only with operators that the target has. */
export function optimize(graph: Graph, { isWebGpu = false, isTorch = false }: Target = {}): Graph {
  let current = mergeCommonSubexpressions(removeDeadCode(graph));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const simplified = simplify(current);
    if (simplified === current) break;
    current = removeDeadCode(mergeCommonSubexpressions(simplified));
  }
  if (isTorch) return dequantizeLate(sidesLate(mergeCommonSubexpressions(fuseSums(current))));
  if (isWebGpu) return sidesLate(mergeCommonSubexpressions(adaptToWebGpu(fuseSums(current))));
  const fused = fuseSums(fuseTransposes(current));
  return removeDeadCode(dequantizeLate(widenLate(sidesLate(mergeCommonSubexpressions(splitWeights(fused))))));
}
