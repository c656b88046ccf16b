import { isSame } from "../record/builder.ts";
import { valuesOf, type Graph, type Node, type Value } from "../graph.ts";

/**
 * Fuses the addition of a bias or of another matrix into the product of two matrices (Gemm), and that of another value into a layer
 * (LinearAdd) or the gradient of its input, if nothing else reads the product: one value less to write and to read. If both operands of the
 * addition are products, it is fused into the second one.
 */
export function fuseSums(graph: Graph): Graph {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map(({ name }) => [name, node] as const)));
  const values = valuesOf(graph);
  const uses = usesOf(graph);
  const joined = new Set<Node>();
  const joinedWith = (node: Node, product: string, other: string): Node | null => {
    const maker = makers.get(product);
    const op = maker?.inputs.length === 2 ? withSum.get(maker.op) : undefined;
    if (maker === undefined || op === undefined || uses.get(product) !== 1) return null;
    if (!isAddable(op, values.get(product), values.get(other))) return null;
    joined.add(maker);
    return { ...maker, op, inputs: [...maker.inputs, other], outputs: node.outputs };
  };
  const nodes = graph.nodes.map((node): Node => {
    if (node.op !== "Add") return node;
    const [a = "", b = ""] = node.inputs;
    const product = joinedWith(node, b, a) ?? joinedWith(node, a, b);
    if (product !== null) makers.set(node.outputs[0]?.name ?? "", product);
    return product ?? node;
  });
  return { ...graph, nodes: nodes.filter((node) => !joined.has(node)) };
}

function usesOf(graph: Graph): Map<string, number> {
  const uses = new Map<string, number>();
  for (const name of [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs]) {
    uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  return uses;
}

/** By operator, the one that adds a third operand. */
const withSum: ReadonlyMap<string, string> = new Map([
  ["MatMul", "Gemm"],
  ["Gemm", "Gemm"],
  ["Linear", "LinearAdd"],
  ["LinearGradInput", "LinearGradInputAdd"],
]);

/** Whether the operator can add it: a value of the product's size and type, and Gemm also a row that is added to all rows. */
function isAddable(op: string, product: Value | undefined, other: Value | undefined): boolean {
  if (product === undefined || other === undefined || product.dtype !== other.dtype) return false;
  if (op !== "Gemm") return isSame(product.shape, other.shape);
  if (product.shape.length !== 2) return false;
  return isSame(product.shape, other.shape) || isSame(product.shape.slice(1), other.shape);
}
