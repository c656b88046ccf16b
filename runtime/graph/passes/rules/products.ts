import { isSame } from "../../record/builder.ts";
import type { Node } from "../../graph.ts";
import type { Edit } from "../edit.ts";
import type { Rule } from "./rule.ts";

/** Fuses Transpose into products of two matrices: Gemm transposes its operands itself. */
const transposedOperands: Rule = (edit, node) => {
  if (node.op !== "Gemm" && !isSingle(edit, node)) return false;
  const [a = "", b = "", ...rest] = node.inputs;
  const [x, y] = [a, b].map((name) => edit.maker(name, "Transpose")?.inputs[0]);
  if (x === undefined && y === undefined) return false;
  const flag = (key: string, isTransposed: boolean) => Number((node.attributes[key] === 1) !== isTransposed);
  const attributes = { transA: flag("transA", x !== undefined), transB: flag("transB", y !== undefined) };
  edit.push({ ...node, op: "Gemm", inputs: [x ?? a, y ?? b, ...rest], attributes });
  return true;
};

function isSingle(edit: Edit, { op, inputs }: Node): boolean {
  return op === "MatMul" && inputs.every((name) => edit.value(name).shape.length === 2);
}

/** Adds two values before they are reshaped instead of after: the addition may then be fused into a product. */
const sumOfReshaped: Rule = (edit, node, output) => {
  if (node.op !== "Add") return false;
  const [a, b] = node.inputs.map((name) => edit.maker(name, "Reshape")?.inputs[0]);
  if (a === undefined || b === undefined || !isSame(edit.value(a).shape, edit.value(b).shape)) return false;
  const sum = edit.emit("Add", [a, b], edit.value(a).shape, output.dtype);
  edit.push({ ...node, op: "Reshape", inputs: [sum, edit.integers(output.shape)] });
  return true;
};

/**
 * The gradient of slicing a value along an axis is a sum of parts that are padded with zeros. If the second part begins where the first
 * one ends, the sum is their concatenation.
 */
const sumOfPadded: Rule = (edit, node, output) => {
  if (node.op !== "Add") return false;
  const parts = node.inputs.map((name) => padded(edit, edit.maker(name, "Pad")));
  const [a, b] = parts;
  if (a === undefined || b === undefined || a.axis !== b.axis) return false;
  const [first, second] = a.before < b.before ? [a, b] : [b, a];
  const size = (name: string) => edit.value(name).shape[a.axis] ?? 0;
  const isWhole = first.before === 0 && second.before === size(first.name);
  if (!isWhole || size(first.name) + size(second.name) !== output.shape[a.axis]) return false;
  edit.push({ ...node, op: "Concat", inputs: [first.name, second.name], attributes: { axis: a.axis } });
  return true;
};

interface Padded {
  readonly name: string;
  readonly axis: number;
  readonly before: number;
}

/** The operand of a Pad that adds zeros along one axis only. */
function padded(edit: Edit, node: Node | undefined): Padded | undefined {
  const [name = "", amounts = "", value = ""] = node?.inputs ?? [];
  if (node === undefined || edit.scalar(value) !== 0) return undefined;
  const sides = edit.list(amounts) ?? [];
  const rank = sides.length / 2;
  const axes = [...edit.value(name).shape.keys()].filter((i) => sides[i] !== 0 || sides[rank + i] !== 0);
  const [axis] = axes;
  return axis === undefined || axes.length > 1 ? undefined : { name, axis, before: sides[axis] ?? 0 };
}

export const products: readonly Rule[] = [transposedOperands, sumOfReshaped, sumOfPadded];
