import { isSame } from "../record/builder.ts";
import type { Graph, Node, Value } from "../graph.ts";
import { broadcast, Edit, isScalar } from "./edit.ts";

/** A rule either deals with a node, and says so, or leaves it to the next. */
type Rule = (edit: Edit, node: Node, output: Value) => boolean;

/**
 * Leaves out what changes nothing and computes on small values what was computed on repeated ones. One way through, so a second may
 * find more.
 */
export function simplify(graph: Graph): Graph {
  const edit = new Edit(graph);
  for (const old of graph.nodes) {
    const node = { ...old, inputs: old.inputs.map((name) => edit.current(name)) };
    const [output] = node.outputs;
    const isDone = output !== undefined && node.outputs.length === 1 && rules.some((rule) => rule(edit, node, output));
    if (!isDone) edit.push(node);
  }
  return edit.finish(graph);
}

/** Of the same shape and type as its first input: Reshape, Expand, Cast, Transpose of nothing. */
const sameAgain: Rule = (edit, node, output) => {
  const [name = ""] = node.inputs;
  const isIdentity = node.op === "Transpose" && (node.attributes["perm"] as number[]).every((axis, i) => axis === i);
  if (!isIdentity && !["Reshape", "Expand", "Cast"].includes(node.op)) return false;
  const { shape, dtype } = edit.value(name);
  if (!isSame(shape, output.shape) || dtype !== output.dtype) return false;
  edit.alias(node, name);
  return true;
};

const reshapeTwice: Rule = (edit, node) => {
  const first = node.op === "Reshape" ? edit.maker(node.inputs[0] ?? "", "Reshape") : undefined;
  if (first === undefined) return false;
  edit.push({ ...node, inputs: [first.inputs[0] ?? "", node.inputs[1] ?? ""] });
  return true;
};

/** One number repeated is the same in any shape. */
const reshapeRepeated: Rule = (edit, node, output) => {
  const repeated = node.op === "Reshape" ? edit.maker(node.inputs[0] ?? "", "Expand") : undefined;
  const [name = ""] = repeated?.inputs ?? [];
  if (repeated === undefined || !isScalar(edit.value(name).shape)) return false;
  const { shape, dtype } = edit.value(name);
  const scalar = shape.length === 0 ? name : edit.emit("Reshape", [name, edit.integers([])], [], dtype);
  edit.push({ ...node, op: "Expand", inputs: [scalar, edit.integers(output.shape)] });
  return true;
};

/** Turned twice, or turning axes of one element only. */
const transposes: Rule = (edit, node, output) => {
  if (node.op !== "Transpose") return false;
  const [name = ""] = node.inputs;
  const perm = node.attributes["perm"] as number[];
  const { shape } = edit.value(name);
  const moving = perm.filter((axis) => shape[axis] !== 1);
  if (moving.every((axis, i) => i === 0 || axis > (moving[i - 1] ?? 0))) {
    edit.push({ ...node, op: "Reshape", inputs: [name, edit.integers(output.shape)], attributes: {} });
    return true;
  }
  const first = edit.maker(name, "Transpose");
  if (first === undefined) return false;
  const before = first.attributes["perm"] as number[];
  const both = perm.map((axis) => before[axis] ?? 0);
  const [source = ""] = first.inputs;
  if (both.every((axis, i) => axis === i)) edit.alias(node, source);
  else edit.push({ ...node, inputs: [source], attributes: { perm: both } });
  return true;
};

const neutral: Readonly<Record<string, number>> = { Add: 0, Sub: 0, Mul: 1, Div: 1 };

/** x + 0, x - 0, x * 1, x / 1, in which -0 + 0 becoming 0 is not kept. */
const neutralOperand: Rule = (edit, node, output) => {
  const [a = "", b = ""] = node.inputs;
  const unit = neutral[node.op];
  if (unit === undefined) return false;
  const isUnit = (name: string) => edit.scalar(name) === unit;
  const turns = node.op === "Add" || node.op === "Mul";
  const kept = isUnit(b) ? a : turns && isUnit(a) ? b : undefined;
  if (kept === undefined || !isSame(edit.value(kept).shape, output.shape)) return false;
  edit.alias(node, kept);
  return true;
};

/** (x a) b = x (a b) for numbers a and b. */
const factors: Rule = (edit, node, output) => {
  if (node.op !== "Mul") return false;
  const split = (inputs: readonly string[]) => {
    const [a = "", b = ""] = inputs;
    const [x, y] = [edit.scalar(a), edit.scalar(b)];
    return y !== undefined ? ([a, y] as const) : x !== undefined ? ([b, x] as const) : undefined;
  };
  const outer = split(node.inputs);
  const inner = outer && edit.maker(outer[0], "Mul");
  const first = inner && split(inner.inputs);
  if (!outer || !first || !isSame(edit.value(first[0]).shape, output.shape)) return false;
  edit.push({ ...node, inputs: [first[0], edit.number(Math.fround(first[1] * outer[1]))] });
  return true;
};

/** Operators that repeat their operands by themselves. */
const broadcasting = new Set(
  (
    "Add Sub Mul Div Pow Max Min Where Less LessOrEqual Greater GreaterOrEqual Equal And Or " +
    "Neg Abs Sqrt Exp Log Tanh Sigmoid Sin Cos Reciprocal Not Cast Identity"
  ).split(" "),
);

/** Values are repeated by the operator, or after it. */
const repeatedOperands: Rule = (edit, node, output) => {
  if (!broadcasting.has(node.op)) return false;
  const inputs = node.inputs.map((name) => edit.maker(name, "Expand")?.inputs[0] ?? name);
  if (inputs.every((name, i) => name === node.inputs[i])) return false;
  const shape = broadcast(inputs.map((name) => edit.value(name).shape));
  if (isSame(shape, output.shape)) {
    edit.push({ ...node, inputs });
    return true;
  }
  const small = edit.emit(node.op, inputs, shape, output.dtype, node.attributes);
  edit.push({ op: "Expand", inputs: [small, edit.integers(output.shape)], outputs: node.outputs, attributes: {} });
  return true;
};

/** The sum over what was repeated is a product. */
const sumOfRepeated: Rule = (edit, node, output) => {
  const repeated = node.op === "ReduceSum" ? edit.maker(node.inputs[0] ?? "", "Expand") : undefined;
  const [name = ""] = repeated?.inputs ?? [];
  if (repeated === undefined || !isScalar(edit.value(name).shape)) return false;
  const count = repeated.outputs[0]?.shape.reduce((a, b) => a * b, 1) ?? 0;
  const rest = output.shape.reduce((a, b) => a * b, 1);
  const scalar = edit.emit("Reshape", [name, edit.integers([])], [], output.dtype);
  const total = edit.emit("Mul", [scalar, edit.number(count / rest)], [], output.dtype);
  edit.push({ op: "Expand", inputs: [total, edit.integers(output.shape)], outputs: node.outputs, attributes: {} });
  return true;
};

const rules: readonly Rule[] = [
  sameAgain,
  reshapeTwice,
  reshapeRepeated,
  transposes,
  neutralOperand,
  factors,
  repeatedOperands,
  sumOfRepeated,
];
