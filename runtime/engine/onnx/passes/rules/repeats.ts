import { isSame } from "../../record/builder.ts";
import { broadcast, isScalar } from "../edit.ts";
import type { Rule } from "./rule.ts";

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

export const repeats: readonly Rule[] = [reshapeRepeated, repeatedOperands, sumOfRepeated];
