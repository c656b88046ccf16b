import type { Graph } from "../graph.ts";
import { Edit, withInputs } from "./edit.ts";
import { arithmetic } from "./rules/arithmetic.ts";
import { constants } from "./rules/constants.ts";
import { layout } from "./rules/layout.ts";
import { products } from "./rules/products.ts";
import { repeats } from "./rules/repeats.ts";

const rules = [...constants, ...layout, ...arithmetic, ...repeats, ...products];

/**
 * Removes nodes that change nothing, and computes on small values what was computed on expanded ones. Goes through the graph once, so
 * another call may find more. Returns the same object if there is nothing to simplify.
 */
export function simplify(graph: Graph): Graph {
  const edit = new Edit(graph);
  let hasChanged = false;
  for (const old of graph.nodes) {
    const node = withInputs(old, (name) => edit.current(name));
    const [output] = node.outputs;
    const isDone = output !== undefined && node.outputs.length === 1 && rules.some((rule) => rule(edit, node, output));
    if (isDone) hasChanged = true;
    else edit.push(node);
  }
  return hasChanged ? edit.finish(graph) : graph;
}
