import type { Graph } from "../graph.ts";

/** Leaves out nodes and initializers that no output needs. Inputs stay: callers feed them by their place. */
export function removeDeadCode(graph: Graph): Graph {
  const needed = new Set(graph.outputs);
  const nodes = graph.nodes.toReversed().filter(({ inputs, outputs }) => {
    const isNeeded = outputs.some(({ name }) => needed.has(name));
    if (isNeeded) for (const name of inputs) needed.add(name);
    return isNeeded;
  });
  const initializers = graph.initializers.filter(({ name }) => needed.has(name));
  return { ...graph, nodes: nodes.toReversed(), initializers };
}
