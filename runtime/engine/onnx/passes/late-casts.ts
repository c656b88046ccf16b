import { sizeOf, type Graph, type Node, type Value } from "../graph.ts";
import { Edit } from "./edit.ts";

/** Smaller weights are widened once, when the graph is loaded. */
const LEAST_ELEMENTS = 65536;

/**
 * Weights that are stored in 16 bits are widened right before each use, and freed behind it. ONNX Runtime would widen them all at once
 * when it loads the graph, for they are constants; so the shape in which a weight is read is made to depend on the other operand.
 */
export function widenLate(graph: Graph): Graph {
  const stored = new Map(graph.initializers.map((x) => [x.name, x]));
  const widened = new Map<string, Value>();
  for (const { op, inputs, outputs } of graph.nodes) {
    const weight = op === "Cast" ? stored.get(inputs[0] ?? "") : undefined;
    if (weight !== undefined && weight.dtype !== "float32" && sizeOf(weight.shape) >= LEAST_ELEMENTS) {
      widened.set(outputs[0]?.name ?? "", weight);
    }
  }
  if (widened.size === 0) return graph;
  const edit = new Edit(graph);
  const isActivation = (name: string) => name !== "" && !stored.has(name) && !widened.has(name) && isFloat(edit, name);
  for (const node of graph.nodes) edit.push(lateFor(edit, widened, node, isActivation));
  return edit.finish(graph);
}

const isFloat = (edit: Edit, name: string): boolean => edit.value(name).dtype === "float32";

/** The node with weights of its own; as it is where it computes with weights alone. */
function lateFor(
  edit: Edit,
  widened: ReadonlyMap<string, Value>,
  node: Node,
  isActivation: (name: string) => boolean,
): Node {
  // The last one is what a product is added to: so parts of a weight are widened one after the other.
  const activation = node.inputs.findLast(isActivation);
  if (activation === undefined || !node.inputs.some((name) => widened.has(name))) return node;
  const inputs = node.inputs.map((name) => {
    const weight = widened.get(name);
    if (weight === undefined) return name;
    const shape = edit.emit(
      "Add",
      [edit.integers(weight.shape), zeroOf(edit, activation)],
      [weight.shape.length],
      "int64",
    );
    const late = edit.emit("Reshape", [weight.name, shape], weight.shape, weight.dtype);
    return edit.emit("Cast", [late], weight.shape, "float32", { to: 1 });
  });
  return { ...node, inputs };
}

/** 0 as an integer, of which the runtime does not know that it is. */
function zeroOf(edit: Edit, name: string): string {
  const { shape, dtype } = edit.value(name);
  const [zeros, ones, axes] = [shape.map(() => 0), shape.map(() => 1), shape.map((_, axis) => axis)];
  const first = edit.emit("Slice", [name, ...[zeros, ones, axes].map((x) => edit.integers(x))], ones, dtype);
  const flat = edit.emit("Reshape", [first, edit.integers([1])], [1], dtype);
  const isMore = edit.emit("Greater", [flat, edit.number(Infinity)], [1], "bool");
  return edit.emit("Cast", [isMore], [1], "int64", { to: 7 });
}
