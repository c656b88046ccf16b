import type { Graph } from "../graph.ts";
import { Edit } from "./edit.ts";
import { arithmetic } from "./rules/arithmetic.ts";
import { layout } from "./rules/layout.ts";
import { repeats } from "./rules/repeats.ts";

const rules = [...layout, ...arithmetic, ...repeats];

/**
 * Leaves out what changes nothing and computes on small values what was computed on repeated ones. One way through, so a second may
 * find more.
 */
export function simplify(graph: Graph): Graph {
  const edit = new Edit(graph);
  for (const old of graph.nodes) {
    const node = { ...old, inputs: old.inputs.map((name) => edit.current(name)) };
    const [output] = node.outputs;
    const isDone = output !== undefined && node.outputs.length === 1 && rules.some((rule) => rule(edit, node, output));
    if (!isDone) edit.push(node);
  }
  return edit.finish(graph);
}
