import { isSame } from "../../record/builder.ts";
import { sizeOf } from "../../graph.ts";
import { broadcast, isScalar, type Edit } from "../edit.ts";
import type { Rule } from "./rule.ts";

/** Reshaping an expanded scalar is expanding it to the other shape. */
const reshapeRepeated: Rule = (edit, node, output) => {
  const repeated = node.op === "Reshape" ? edit.maker(node.inputs[0] ?? "", "Expand") : undefined;
  const [name = ""] = repeated?.inputs ?? [];
  if (repeated === undefined || !isScalar(edit.value(name).shape)) return false;
  const { shape, dtype } = edit.value(name);
  const scalar = shape.length === 0 ? name : edit.emit("Reshape", [name, edit.integers([])], [], dtype);
  edit.push({ ...node, op: "Expand", inputs: [scalar, edit.integers(output.shape)] });
  return true;
};

/** A copy is replaced by its operand. An output of the graph needs its node, which may expand a smaller value instead of copying. */
const identity: Rule = (edit, node, output) => {
  if (node.op !== "Identity") return false;
  const [name = ""] = node.inputs;
  const repeated = edit.maker(name, "Expand")?.inputs[0];
  if (repeated === undefined && edit.isOutput(output.name)) return false;
  edit.become(node, output, repeated ?? name);
  return true;
};

/** Operators that compute each element by itself and broadcast their operands. */
const broadcasting = new Set(
  (
    "Add Sub Mul Div Pow Max Min Where Less LessOrEqual Greater GreaterOrEqual Equal And Or " +
    "Neg Abs Sqrt Exp Log Tanh Sigmoid Sin Cos Reciprocal Not Cast"
  ).split(" "),
);

/** Leaves expanding the operands to the operator, or does it after the operator. */
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

/**
 * Computes sums and means of an expanded value from the value itself: an expanded axis multiplies the sum by its size, and leaves the
 * mean unchanged.
 */
const reductionOfRepeated: Rule = (edit, node, output) => {
  const repeated = reductions.has(node.op) ? edit.maker(node.inputs[0] ?? "", "Expand") : undefined;
  const { shape } = repeated?.outputs[0] ?? {};
  if (repeated === undefined || shape === undefined || output.dtype !== "float32") return false;
  const small = unsqueezed(edit, repeated.inputs[0] ?? "", shape.length);
  const { shape: sizes } = edit.value(small);
  const axes = node.inputs[1] === undefined ? [...shape.keys()] : edit.list(node.inputs[1]);
  if (axes === undefined) return false;
  const copies = axes.reduce((count, axis) => (count * (shape.at(axis) ?? 1)) / (sizes.at(axis) ?? 1), 1);
  const isGone = (axis: number) => axes.includes(axis) || axes.includes(axis - sizes.length);
  const keeps = node.attributes["keepdims"] !== 0;
  const reduced = sizes.flatMap((size, axis) => (isGone(axis) ? (keeps ? [1] : []) : [size]));
  const part = edit.emit(node.op, [small, edit.integers(axes)], reduced, output.dtype, node.attributes);
  const isMore = node.op === "ReduceSum" && copies !== 1;
  const total = isMore ? edit.emit("Mul", [part, edit.number(copies)], reduced, output.dtype) : part;
  edit.become(node, output, total);
  return true;
};

const reductions = new Set(["ReduceSum", "ReduceMean"]);

/** The value with leading axes of size 1. */
function unsqueezed(edit: Edit, name: string, rank: number): string {
  const { shape, dtype } = edit.value(name);
  if (shape.length === rank) return name;
  const sizes = [...Array.from({ length: rank - shape.length }, () => 1), ...shape];
  return edit.emit("Reshape", [name, edit.integers(sizes)], sizes, dtype);
}

/** A reduction along axes of size 1 is a reshape. */
const reductionOfOne: Rule = (edit, node, output) => {
  const [name = "", axes] = node.inputs;
  const { shape, dtype } = edit.value(name);
  const isMove = dtype === output.dtype && sizeOf(shape) === sizeOf(output.shape);
  if (!isMove || !/^Reduce(Sum|Mean|Max|Min)$/.test(node.op)) return false;
  const along = axes === undefined ? [...shape.keys()] : edit.list(axes);
  if (along === undefined || along.some((axis) => shape.at(axis) !== 1)) return false;
  edit.become(node, output, name);
  return true;
};

export const repeats: readonly Rule[] = [
  identity,
  reshapeRepeated,
  repeatedOperands,
  reductionOfRepeated,
  reductionOfOne,
];
