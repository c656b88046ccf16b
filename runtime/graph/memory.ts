import { byteSize, type Graph, type Node, type Value } from "./graph.ts";
import { executionOrder } from "./order.ts";

/** Bytes that running a graph takes. */
export interface GraphMemory {
  /** Of initializers in memory. */
  readonly constants: number;
  /** Of initializers that stay in their files, which the system may page in and out. */
  readonly files: number;
  /** Of inputs, which the caller holds. */
  readonly inputs: number;
  /** The most that values made by nodes take at any time, outputs among them. */
  readonly peak: number;
  /** What the node makes at which they take the most; null for a graph without nodes. */
  readonly peakAt: Value | null;
}

/** Operators whose output is their first input, seen otherwise. */
export const views: ReadonlySet<string> = new Set(["Reshape", "Identity"]);

/** Operators that write over an operand that nothing reads later. */
const inPlace = new Set(
  "Add Sub Mul Div Neg Abs Sqrt Exp Log Tanh Sigmoid Sin Cos Floor Reciprocal Softmax Not".split(" "),
);

/**
 * What the graph takes if ONNX Runtime runs it as it is: each value is freed behind its last reader. What an operator needs for
 * itself, and what the allocator keeps in reserve, come on top. In time linear in the graph.
 */
export function memoryOf(graph: Graph): GraphMemory {
  const isFile = ({ bytes }: Graph["initializers"][number]) => !(bytes instanceof Uint8Array);
  return {
    constants: total(graph.initializers.filter((x) => !isFile(x))),
    files: total(graph.initializers.filter(isFile)),
    inputs: total(graph.inputs),
    ...peakOf(executionOrder(graph), graph.outputs),
  };
}

function peakOf(nodes: readonly Node[], outputs: readonly string[]): Pick<GraphMemory, "peak" | "peakAt"> {
  const buffers = buffersOf(nodes, outputs);
  let [live, peak] = [0, 0];
  let peakAt: Value | null = null;
  nodes.forEach((node, i) => {
    for (const { size } of buffers.made[i] ?? []) live += size;
    if (live > peak) [peak, peakAt] = [live, node.outputs[0] ?? null];
    for (const { size } of buffers.freed[i] ?? []) live -= size;
  });
  return { peak, peakAt };
}

function total(values: readonly Value[]): number {
  return values.reduce((sum, x) => sum + byteSize(x), 0);
}

interface Buffer {
  readonly size: number;
  /** The last node that reads what is in it. */
  last: number;
}

/** By node, the buffers that it makes and those of which it is the last reader. */
interface Buffers {
  readonly made: readonly (readonly Buffer[])[];
  readonly freed: readonly (readonly Buffer[])[];
}

function buffersOf(nodes: readonly Node[], outputs: readonly string[]): Buffers {
  const end = nodes.length;
  const lastReaders = lastReadersOf(nodes, outputs);
  const holders = new Map<string, Buffer>();
  const made = nodes.map((node, i) =>
    node.outputs.flatMap((output): Buffer[] => {
      const own = { size: byteSize(output), last: lastReaders.get(output.name) ?? i };
      const buffer = bufferFor(node, i, own, { holders, end });
      buffer.last = Math.max(buffer.last, own.last);
      holders.set(output.name, buffer);
      return buffer === own ? [own] : [];
    }),
  );
  const freed: Buffer[][] = nodes.map(() => []);
  for (const buffer of made.flat()) freed[buffer.last]?.push(buffer);
  return { made, freed };
}

/**
 * A node leaves its output in the buffer of an operand, or needs one of its own. Views of what the caller or the model holds need
 * none, unless they are handed out.
 */
function bufferFor(
  { op, inputs }: Node,
  place: number,
  output: Buffer,
  { holders, end }: { readonly holders: ReadonlyMap<string, Buffer>; readonly end: number },
): Buffer {
  const operands = inputs.map((name) => holders.get(name));
  if (views.has(op)) {
    const [source = { size: 0, last: place }] = operands;
    return output.last === end && (source.size === 0 || source.last === end) ? output : source;
  }
  const isFree = (x: Buffer | undefined) => x?.last === place && x.size === output.size;
  return (inPlace.has(op) ? operands.find(isFree) : undefined) ?? output;
}

/** By value, the last node that reads it; for outputs one behind all nodes. */
function lastReadersOf(nodes: readonly Node[], outputs: readonly string[]): Map<string, number> {
  const last = new Map<string, number>();
  nodes.forEach(({ inputs }, i) => {
    for (const name of inputs) last.set(name, i);
  });
  for (const name of outputs) last.set(name, nodes.length);
  return last;
}
