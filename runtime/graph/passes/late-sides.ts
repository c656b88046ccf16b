import type { Graph } from "../graph.ts";

/** A block of a transformer is a longer way than this, and what the model makes of timesteps and texts for all blocks a shorter one. */
const NEAR = 64;

/**
 * Computes right before its use what follows from the beginning of the graph alone, such as a block's modulation by the timestep, or the keys
 * of a text. These are recorded with their block, where they would run before all blocks (see `executionOrder`), and those of all blocks
 * would be kept until then. In front of all other nodes, they run late.
 *
 * Such a node is told by the longest way through the graph, which leads through all blocks: it follows from no more than the first steps of
 * that way, and was recorded when the way had gone on.
 */
export function sidesLate(graph: Graph): Graph {
  const { nodes } = graph;
  const operands = operandsOf(graph);
  const { depths, isOnWay } = longestWay(operands);
  // How far along the way the last node is that a node follows from.
  const reached = new Int32Array(nodes.length);
  const isSide = new Uint8Array(nodes.length);
  let recorded = 0;
  operands.forEach((own, i) => {
    for (const x of own) reached[i] = Math.max(at(reached, i), isOnWay.has(x) ? at(depths, x) : at(reached, x));
    if (at(reached, i) <= NEAR && recorded - at(reached, i) > NEAR) mark(i, operands, isSide);
    if (isOnWay.has(i)) recorded = at(depths, i);
  });
  const chosen = (side: number) => nodes.filter((_, i) => isSide[i] === side);
  return { ...graph, nodes: [...chosen(1), ...chosen(0)] };
}

const at = (numbers: Int32Array, i: number): number => numbers[i] as number;

/** By node, the indices of those that make its inputs. */
function operandsOf({ nodes }: Graph): readonly (readonly number[])[] {
  const makers = new Map(nodes.flatMap(({ outputs }, i) => outputs.map(({ name }) => [name, i] as const)));
  return nodes.map(({ inputs }) => inputs.flatMap((name) => makers.get(name) ?? []));
}

/** By node, how many nodes the longest way to it has; and the nodes of the longest of all. */
function longestWay(operands: readonly (readonly number[])[]) {
  const depths = new Int32Array(operands.length);
  const before = new Int32Array(operands.length).fill(-1);
  let last = -1;
  operands.forEach((own, i) => {
    for (const x of own) if (at(depths, x) > at(depths, i)) [depths[i], before[i]] = [at(depths, x), x];
    depths[i] = at(depths, i) + 1;
    if (last < 0 || at(depths, i) > at(depths, last)) last = i;
  });
  const isOnWay = new Set<number>();
  for (let i = last; i >= 0; i = at(before, i)) isOnWay.add(i);
  return { depths, isOnWay };
}

/** Marks a node, and all that it follows from, which has to stay before it. */
function mark(first: number, operands: readonly (readonly number[])[], isSide: Uint8Array): void {
  const stack = [first];
  for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
    if (isSide[i] === 1) continue;
    isSide[i] = 1;
    stack.push(...(operands[i] ?? []));
  }
}
