import { isSame } from "../../record/builder.ts";
import type { Node } from "../../graph.ts";
import type { Edit } from "../edit.ts";
import type { Rule } from "./rule.ts";

/** Products of single matrices turn their operands themselves. */
const turnedOperands: Rule = (edit, node) => {
  if (node.op !== "Gemm" && !isSingle(edit, node)) return false;
  const [a = "", b = "", ...rest] = node.inputs;
  const [x, y] = [a, b].map((name) => edit.maker(name, "Transpose")?.inputs[0]);
  if (x === undefined && y === undefined) return false;
  const turned = (key: string, isTurned: boolean) => Number((node.attributes[key] === 1) !== isTurned);
  const attributes = { transA: turned("transA", x !== undefined), transB: turned("transB", y !== undefined) };
  edit.push({ ...node, op: "Gemm", inputs: [x ?? a, y ?? b, ...rest], attributes });
  return true;
};

function isSingle(edit: Edit, { op, inputs }: Node): boolean {
  return op === "MatMul" && inputs.every((name) => edit.value(name).shape.length === 2);
}

/** Two values that are reshaped to be added are added first: a product may then take the other one in. */
const sumOfReshaped: Rule = (edit, node, output) => {
  if (node.op !== "Add") return false;
  const [a, b] = node.inputs.map((name) => edit.maker(name, "Reshape")?.inputs[0]);
  if (a === undefined || b === undefined || !isSame(edit.value(a).shape, edit.value(b).shape)) return false;
  const sum = edit.emit("Add", [a, b], edit.value(a).shape, output.dtype);
  edit.push({ ...node, op: "Reshape", inputs: [sum, edit.integers(output.shape)] });
  return true;
};

/**
 * The gradient of taking a value apart along an axis comes as parts among zeros that are added. Where the first part ends as the second
 * begins, that is joining them.
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

/** What stands among zeros along one axis only. */
function padded(edit: Edit, node: Node | undefined): Padded | undefined {
  const [name = "", amounts = "", value = ""] = node?.inputs ?? [];
  if (node === undefined || edit.scalar(value) !== 0) return undefined;
  const sides = edit.list(amounts) ?? [];
  const rank = sides.length / 2;
  const axes = [...edit.value(name).shape.keys()].filter((i) => sides[i] !== 0 || sides[rank + i] !== 0);
  const [axis] = axes;
  return axis === undefined || axes.length > 1 ? undefined : { name, axis, before: sides[axis] ?? 0 };
}

export const products: readonly Rule[] = [turnedOperands, sumOfReshaped, sumOfPadded];
