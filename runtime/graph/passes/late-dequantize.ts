import type { Graph, Node } from "../graph.ts";
import { Edit } from "./edit.ts";

/**
 * Widens weights of 8 bits right before each use, so that they can be freed right after it: each reader gets a Dequantize of its own, in
 * front of all other nodes, since what is early in the file runs late (see `executionOrder`). Outputs of the graph keep theirs.
 */
export function dequantizeLate(graph: Graph): Graph {
  const makers = new Map<string, Node>();
  for (const node of graph.nodes) if (node.op === "Dequantize") makers.set(node.outputs[0]?.name ?? "", node);
  if (makers.size === 0) return graph;
  const edit = new Edit(graph);
  const own = (name: string): string => {
    const maker = makers.get(name);
    const made = maker?.outputs[0];
    if (maker === undefined || made === undefined) return name;
    return edit.emit(maker.op, maker.inputs, made.shape, made.dtype, maker.attributes);
  };
  const isKept = ({ outputs }: Node) => outputs.some(({ name }) => !makers.has(name) || graph.outputs.includes(name));
  const nodes = graph.nodes.filter(isKept).map((node) => ({ ...node, inputs: node.inputs.map(own) }));
  for (const node of nodes) edit.push(node);
  return edit.finish(graph);
}
