import { byteSize, sizeOf, type Graph, type Initializer, type Node, type Value } from "../graph.ts";
import { Edit } from "./edit.ts";
import { widenedWeights } from "./widened-weights.ts";

/** Elements of a part at most: 16 MiB in float32. Larger parts fragment the runtime's memory, smaller ones save no more. */
const PART = 2 ** 22;

/**
 * Splits products with large 16-bit weights into products with parts of their rows, so that one part after the other is converted to
 * float32. A whole weight would take twice its size, and no freed block is large enough to hold it. Rows are contiguous, so each part
 * is a range of the same file.
 */
export function splitWeights(graph: Graph, part = PART): Graph {
  const isLarge = ({ shape }: Initializer) => shape.length === 2 && sizeOf(shape) > part;
  const weights = new Map([...widenedWeights(graph)].filter(([, weight]) => isLarge(weight)));
  if (weights.size === 0) return graph;
  const edit = new Edit(graph);
  const parts = new Map<string, readonly Part[]>();
  for (const node of graph.nodes) {
    const weight = isProduct(edit, node) ? weights.get(node.inputs[1] ?? "") : undefined;
    if (weight === undefined) edit.push(node);
    else {
      const own = parts.get(weight.name) ?? partsOf(edit, weight, part);
      parts.set(weight.name, own);
      if (node.attributes["transB"] === 1) byOutputs(edit, node, own);
      else bySums(edit, node, own);
    }
  }
  return edit.finish(graph);
}

const isProduct = (edit: Edit, { op, inputs: [x = ""] }: Node): boolean =>
  op === "Gemm" || (op === "MatMul" && edit.value(x).shape.length === 2);

/** Some rows of a weight, as float32. */
interface Part {
  readonly first: number;
  readonly rows: number;
  readonly name: string;
}

function partsOf(edit: Edit, { shape: [rows = 0, width = 0], dtype, bytes }: Initializer, part: number): Part[] {
  const each = Math.ceil(rows / Math.ceil((rows * width) / part));
  const count = Math.ceil(rows / each);
  return Array.from({ length: count }, (_, i) => {
    const first = i * each;
    const shape = [Math.min(each, rows - first), width];
    const [start, length] = [byteSize({ shape: [first, width], dtype }), byteSize({ shape, dtype })];
    const own =
      bytes instanceof Uint8Array
        ? bytes.subarray(start, start + length)
        : { ...bytes, offset: bytes.offset + start, length };
    const stored = edit.constant(own, shape, dtype);
    return { first, rows: shape[0] ?? 0, name: edit.emit("Cast", [stored], shape, "float32", { to: 1 }) };
  });
}

/** x Wᵀ: each part computes some of the outputs. */
function byOutputs(edit: Edit, { inputs: [x = "", , bias = ""], outputs, attributes }: Node, parts: readonly Part[]) {
  const [output] = outputs as readonly [Value];
  const [rows = 0] = output.shape;
  const products = parts.map((part) => edit.emit("Gemm", [x, part.name], [rows, part.rows], "float32", attributes));
  const joined = { op: "Concat", inputs: products, attributes: { axis: 1 } };
  if (bias === "") return edit.push({ ...joined, outputs });
  const sum = edit.emit(joined.op, joined.inputs, output.shape, "float32", joined.attributes);
  edit.push({ op: "Add", inputs: [sum, bias], outputs, attributes: {} });
}

/** x W: each part multiplies some of the inputs, and adds the result of the parts before it. */
function bySums(edit: Edit, { inputs: [x = "", , bias = ""], outputs, attributes }: Node, parts: readonly Part[]) {
  const [output] = outputs as readonly [Value];
  const { shape } = edit.value(x);
  const axis = attributes["transA"] === 1 ? 0 : 1;
  let sum = bias;
  parts.forEach(({ first, rows, name }, i) => {
    const bounds = [[first], [first + rows], [axis]].map((list) => edit.integers(list));
    const own = edit.emit("Slice", [x, ...bounds], shape.toSpliced(axis, 1, rows), "float32");
    const inputs = sum === "" ? [own, name] : [own, name, sum];
    if (i === parts.length - 1) edit.push({ op: "Gemm", inputs, outputs, attributes });
    else sum = edit.emit("Gemm", inputs, output.shape, "float32", attributes);
  });
}
