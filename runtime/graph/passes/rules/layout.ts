import { isSame } from "../../record/builder.ts";
import type { Rule } from "./rule.ts";

/** Reshape, Expand, Cast or Transpose that change nothing. */
const unchanged: Rule = (edit, node, output) => {
  const [name = ""] = node.inputs;
  const isIdentity = node.op === "Transpose" && (node.attributes["perm"] as number[]).every((axis, i) => axis === i);
  if (!isIdentity && !["Reshape", "Expand", "Cast"].includes(node.op)) return false;
  const { shape, dtype } = edit.value(name);
  if (!isSame(shape, output.shape) || dtype !== output.dtype) return false;
  edit.alias(node, name);
  return true;
};

/** Of two Reshape nodes in a row the first is not needed. */
const reshapeTwice: Rule = (edit, node) => {
  const first = node.op === "Reshape" ? edit.maker(node.inputs[0] ?? "", "Reshape") : undefined;
  if (first === undefined) return false;
  edit.push({ ...node, inputs: [first.inputs[0] ?? "", node.inputs[1] ?? ""] });
  return true;
};

/** Two Transpose nodes in a row are one. A Transpose that moves only axes of size 1 is a Reshape. */
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

export const layout: readonly Rule[] = [unchanged, reshapeTwice, transposes];
