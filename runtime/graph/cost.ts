import { productFlops } from "./composites.ts";
import { byteSize, sizeOf, valuesOf, type Graph, type Node, type Value } from "./graph.ts";
import { views } from "./memory.ts";

/** The work of running a graph once. */
export interface GraphCost {
  /** Floating-point operations of all matrix products; a multiplication and an addition count as two. */
  readonly matmulFlops: number;
  /** Bytes that all other nodes read and write. */
  readonly movedBytes: number;
  /** Bytes of weights that are brought from the host to the device, where they wait there. */
  readonly copiedBytes: number;
  readonly nodes: number;
}

export const noCost: GraphCost = { matmulFlops: 0, movedBytes: 0, copiedBytes: 0, nodes: 0 };

const products: ReadonlySet<string> = new Set(["MatMul", "Gemm", "FusedMatMul"]);

/** Counts the work of a graph as it is. Takes time linear in the size of the graph. */
export function costOf(graph: Graph): GraphCost {
  const values = valuesOf(graph);
  return graph.nodes.map((node) => nodeCost(node, values)).reduce(addCosts, noCost);
}

export const addCosts = (a: GraphCost, b: GraphCost): GraphCost => addTimes(a, 1, b);

/** The cost `a`, and so many times `b`; a negative factor takes it away. */
export function addTimes(a: GraphCost, factor: number, b: GraphCost): GraphCost {
  return {
    matmulFlops: a.matmulFlops + factor * b.matmulFlops,
    movedBytes: a.movedBytes + factor * b.movedBytes,
    copiedBytes: a.copiedBytes + factor * b.copiedBytes,
    nodes: a.nodes + factor * b.nodes,
  };
}

function nodeCost(node: Node, values: ReadonlyMap<string, Value>): GraphCost {
  const { op, inputs, outputs } = node;
  const matmulFlops = productFlopsOf(node, values);
  if (matmulFlops > 0 || views.has(op)) return { ...noCost, matmulFlops, nodes: 1 };
  const moved = [...inputs.flatMap((name) => values.get(name) ?? []), ...outputs];
  return { ...noCost, movedBytes: moved.reduce((sum, x) => sum + byteSize(x), 0), nodes: 1 };
}

/** Floating-point operations of the matrix products of a node; 0 for other operators. */
export function productFlopsOf({ op, inputs, outputs, attributes }: Node, values: ReadonlyMap<string, Value>): number {
  const operands = inputs.flatMap((name) => values.get(name) ?? []);
  if (op === "Conv") return 2 * sizeOf(outputs[0]?.shape ?? []) * sizeOf(operands[1]?.shape.slice(1) ?? []);
  if (!products.has(op)) return productFlops(op, operands);
  const [{ shape } = { shape: [] }] = operands;
  const inner = shape.at(attributes["transA"] === 1 ? -2 : -1) ?? 1;
  return 2 * inner * sizeOf(outputs[0]?.shape ?? []);
}
