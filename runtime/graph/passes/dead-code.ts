import { composites } from "../composites.ts";
import type { Graph, Node } from "../graph.ts";

/**
 * Removes nodes and initializers that no output needs, and the last outputs of our own operators if nothing reads them. Unused inputs
 * stay, since callers feed inputs by position.
 */
export function removeDeadCode(graph: Graph): Graph {
  const needed = new Set(graph.outputs);
  const nodes = graph.nodes.toReversed().flatMap((node): Node[] => {
    const count = node.outputs.findLastIndex(({ name }) => needed.has(name)) + 1;
    if (count === 0) return [];
    for (const name of node.inputs) needed.add(name);
    const isShorter = count < node.outputs.length && composites.has(node.op);
    return [isShorter ? { ...node, outputs: node.outputs.slice(0, count) } : node];
  });
  const initializers = graph.initializers.filter(({ name }) => needed.has(name));
  return { ...graph, nodes: nodes.toReversed(), initializers };
}
