import type { Graph } from "../graph.ts";
import { joinBiases } from "./bias.ts";
import { mergeCommonSubexpressions } from "./common-subexpressions.ts";
import { removeDeadCode } from "./dead-code.ts";
import { widenLate } from "./late-casts.ts";
import { simplify } from "./simplify.ts";

/** More ways through a graph than it takes in practice. */
const MOST_ROUNDS = 8;

/** The same outputs from fewer nodes and smaller values. */
export function optimize(graph: Graph): Graph {
  let current = removeDeadCode(graph);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = removeDeadCode(mergeCommonSubexpressions(simplify(current)));
    const isDone = next.nodes.length === current.nodes.length;
    current = next;
    if (isDone) break;
  }
  return widenLate(joinBiases(current));
}
