import type { Graph, Value } from "../graph.ts";
import { Edit } from "./edit.ts";

/**
 * Weights that are stored in 16 bits are widened right before each use, and freed behind it: each reader gets a cast of its own, ahead
 * of all other nodes, since the runtime runs last what stands first in the file (see `executionOrder`).
 */
export function widenLate(graph: Graph): Graph {
  const stored = new Map(graph.initializers.map((x) => [x.name, x]));
  const widened = new Map<string, Value>();
  for (const { op, inputs, outputs } of graph.nodes) {
    const weight = op === "Cast" ? stored.get(inputs[0] ?? "") : undefined;
    const [output] = outputs;
    if (weight !== undefined && weight.dtype !== "float32" && output?.dtype === "float32")
      widened.set(output.name, weight);
  }
  if (widened.size === 0) return graph;
  const edit = new Edit(graph);
  const ownCast = (name: string): string => {
    const weight = widened.get(name);
    return weight === undefined ? name : edit.emit("Cast", [weight.name], weight.shape, "float32", { to: 1 });
  };
  const nodes = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(ownCast) }));
  for (const node of nodes) edit.push(node);
  return edit.finish(graph);
}
