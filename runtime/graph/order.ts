import type { Graph, Node } from "./graph.ts";

/**
 * The nodes in the order in which ONNX Runtime runs them, which differs from their order in the file. It is the order in which a
 * depth-first search leaves the nodes: it starts at the last node whose outputs no node reads, and visits the operands of a node from
 * the last to the first in the file. So a node that is early in the file runs late if its reader has other operands. Exact for a graph
 * that the runtime does not change; nodes that it inserts count as last in the file.
 * Source: `Graph::ReverseDFSFrom` and `GraphViewer`, https://github.com/microsoft/onnxruntime/tree/main/onnxruntime/core/graph
 */
export function executionOrder({ nodes }: Graph): Node[] {
  const makers = new Map(nodes.flatMap(({ outputs }, i) => outputs.map(({ name }) => [name, i] as const)));
  const order: Node[] = [];
  const isSeen = new Uint8Array(nodes.length);
  const isLeft = new Uint8Array(nodes.length);
  const stack = unread(nodes);
  for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
    const node = nodes[i];
    if (node === undefined || isLeft[i] === 1) continue;
    if (isSeen[i] === 1) {
      isLeft[i] = 1;
      order.push(node);
      continue;
    }
    isSeen[i] = 1;
    stack.push(i, ...operandsOf(node, makers).filter((operand) => isSeen[operand] === 0));
  }
  return order;
}

/** Indices of the nodes whose outputs no node reads. */
function unread(nodes: readonly Node[]): number[] {
  const read = new Set<string>();
  for (const { inputs } of nodes) for (const name of inputs) read.add(name);
  return [...nodes.keys()].filter((i) => nodes[i]?.outputs.every(({ name }) => !read.has(name)));
}

/** Indices of the nodes that compute a node's inputs. */
function operandsOf({ inputs }: Node, makers: ReadonlyMap<string, number>): number[] {
  return inputs.flatMap((name) => makers.get(name) ?? []).toSorted((a, b) => a - b);
}
