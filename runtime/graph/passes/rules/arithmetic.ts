import { isSame } from "../../record/builder.ts";
import type { Node } from "../../graph.ts";
import type { Edit } from "../edit.ts";
import type { Rule } from "./rule.ts";

const neutral: Readonly<Record<string, number>> = { Add: 0, Sub: 0, Mul: 1, Div: 1 };

/**
 * x + 0, x - 0, x * 1 and x / 1 are x. (-0 + 0 would be 0, and becomes -0.) x * 0 stays, since it is NaN if x is NaN: a run that
 * diverges must show it.
 */
const neutralOperand: Rule = (edit, node, output) => {
  const [a = "", b = ""] = node.inputs;
  const unit = neutral[node.op];
  if (unit === undefined) return false;
  const isUnit = (name: string) => edit.scalar(edit.maker(name, "Expand")?.inputs[0] ?? name) === unit;
  const isCommutative = node.op === "Add" || node.op === "Mul";
  const kept = isUnit(b) ? a : isCommutative && isUnit(a) ? b : undefined;
  if (kept === undefined) return false;
  edit.become(node, output, kept);
  return true;
};

/** (x a) b = x (a b) for numbers a and b. */
const factors: Rule = (edit, node, output) => {
  if (node.op !== "Mul") return false;
  const outer = factorOf(edit, node);
  const inner = outer && edit.maker(outer.rest, "Mul");
  const first = inner && factorOf(edit, inner);
  if (!outer || !first || !isSame(edit.value(first.rest).shape, output.shape)) return false;
  edit.push({ ...node, inputs: [first.rest, edit.number(Math.fround(first.factor * outer.factor))] });
  return true;
};

/** Splits a product with a number into the other operand and the number. */
function factorOf(edit: Edit, { inputs }: Node): { readonly rest: string; readonly factor: number } | undefined {
  const [a = "", b = ""] = inputs;
  const [x, y] = [edit.scalar(a), edit.scalar(b)];
  if (y !== undefined) return { rest: a, factor: y };
  return x === undefined ? undefined : { rest: b, factor: x };
}

/** -(-x) = x, x + (-y) = x - y, x - (-y) = x + y. */
const negations: Rule = (edit, node) => {
  const [a = "", b = ""] = node.inputs;
  const [x, y] = [a, b].map((name) => edit.maker(name, "Neg")?.inputs[0]);
  if (node.op === "Neg" && x !== undefined) edit.alias(node, x);
  else if (node.op === "Add" && y !== undefined) edit.push({ ...node, op: "Sub", inputs: [a, y] });
  else if (node.op === "Add" && x !== undefined) edit.push({ ...node, op: "Sub", inputs: [b, x] });
  else if (node.op === "Sub" && y !== undefined) edit.push({ ...node, op: "Add", inputs: [a, y] });
  else return false;
  return true;
};

export const arithmetic: readonly Rule[] = [neutralOperand, factors, negations];
