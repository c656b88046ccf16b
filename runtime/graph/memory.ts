import { byteSize, sizeOf, type Graph, type Node, type Value } from "./graph.ts";
import { executionOrder } from "./order.ts";

/** How many bytes a graph needs to run. */
export interface GraphMemory {
  /** Initializers in memory. */
  readonly constants: number;
  /** Initializers that stay in their files, which the system may page in and out. */
  readonly files: number;
  /** Inputs, which the caller holds. */
  readonly inputs: number;
  /** The most that the outputs of nodes take at any time, outputs of the graph included. */
  readonly peak: number;
  /** The output of the node at which the peak is reached; null for a graph without nodes. */
  readonly peakAt: Value | null;
  /** The largest of these outputs. */
  readonly largest: number;
}

/** Operators whose output shares the memory of their first input. */
export const views: ReadonlySet<string> = new Set(["Reshape", "Identity", "After"]);

/** Operators that overwrite an operand if nothing reads it later. */
const inPlace = new Set(
  "Add Sub Mul Div Neg Abs Sqrt Exp Log Tanh Sigmoid Sin Cos Floor Reciprocal Softmax Not".split(" "),
);

/**
 * What a graph needs if ONNX Runtime runs it unchanged and frees each value after its last reader. Not counted are the scratch memory
 * of operators and what the allocator keeps in reserve. Takes time linear in the size of the graph.
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

function peakOf(nodes: readonly Node[], outputs: readonly string[]): Pick<GraphMemory, "peak" | "peakAt" | "largest"> {
  const buffers = buffersOf(nodes, outputs);
  let [live, peak, largest] = [0, 0, 0];
  let peakAt: Value | null = null;
  nodes.forEach((node, i) => {
    for (const { size } of buffers.made[i] ?? []) {
      live += size;
      largest = Math.max(largest, size);
    }
    if (live > peak) [peak, peakAt] = [live, node.outputs[0] ?? null];
    for (const { size } of buffers.freed[i] ?? []) live -= size;
  });
  return { peak, peakAt, largest };
}

function total(values: readonly Value[]): number {
  return values.reduce((sum, x) => sum + byteSize(x), 0);
}

interface Buffer {
  readonly size: number;
  /** The last node that reads what is in it. */
  last: number;
}

/** By node, the buffers that it allocates, and those that are freed after it. */
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
      return buffer === own ? [own, ...scratchOf(node, i)] : [];
    }),
  );
  const freed: Buffer[][] = nodes.map(() => []);
  for (const buffer of made.flat()) freed[buffer.last]?.push(buffer);
  return { made, freed };
}

/** What an operator needs while it runs: weights of 8 bits are scaled in float32, those of 4 bits are whole numbers in bfloat16 before. */
function scratchOf({ op, outputs, attributes }: Node, last: number): Buffer[] {
  const bytes = attributes["group"] === undefined ? 4 : 6;
  return op === "Dequantize" ? outputs.map(({ shape }) => ({ size: bytes * sizeOf(shape), last })) : [];
}

/**
 * The buffer of a node's output: that of an operand, or one of its own. A view of an input or initializer needs no buffer, except if it
 * is an output of the graph. Two outputs of the graph never share a buffer.
 */
function bufferFor(
  { op, inputs }: Node,
  index: number,
  output: Buffer,
  { holders, end }: { readonly holders: ReadonlyMap<string, Buffer>; readonly end: number },
): Buffer {
  const operands = inputs.map((name) => holders.get(name));
  if (views.has(op)) {
    const [source = { size: 0, last: index }] = operands;
    return output.last === end && (source.size === 0 || source.last === end) ? output : source;
  }
  const isFree = (x: Buffer | undefined) => x?.last === index && x.size === output.size;
  return (inPlace.has(op) ? operands.find(isFree) : undefined) ?? output;
}

/** By value, the index of the last node that reads it; the number of nodes for outputs of the graph. */
function lastReadersOf(nodes: readonly Node[], outputs: readonly string[]): Map<string, number> {
  const last = new Map<string, number>();
  nodes.forEach(({ inputs }, i) => {
    for (const name of inputs) last.set(name, i);
  });
  for (const name of outputs) last.set(name, nodes.length);
  return last;
}
