import { isSame } from "../../record/builder.ts";
import type { Rule } from "./rule.ts";

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

export const arithmetic: readonly Rule[] = [neutralOperand, factors];
