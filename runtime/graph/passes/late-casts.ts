import type { Graph } from "../graph.ts";
import { Edit } from "./edit.ts";
import { widenedWeights } from "./widened-weights.ts";

/**
 * Converts 16-bit weights to float32 right before each use, so that they can be freed right after it. Each reader gets a Cast of its own.
 * The casts are put in front of all other nodes, since the runtime runs late what is early in the file (see `executionOrder`).
 */
export function widenLate(graph: Graph): Graph {
  const widened = widenedWeights(graph);
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
