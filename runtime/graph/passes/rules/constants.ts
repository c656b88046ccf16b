import { sizeOf } from "../../graph.ts";
import { SMALL_BYTES, type Edit } from "../edit.ts";
import type { Rule } from "./rule.ts";

/** Operators whose float32 result is the correctly rounded one, here as in ONNX Runtime. */
const exact: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Neg: (a) => -a,
  Sqrt: (a) => Math.sqrt(a),
  Reciprocal: (a) => 1 / a,
};

/** Arithmetic on small constants that have the size of the result or one element. */
const compute: Rule = (edit, node, output) => {
  const f = exact[node.op];
  if (f === undefined) return false;
  const operands = node.inputs.map((name) => edit.numbers(name));
  const size = sizeOf(output.shape);
  const isFit = (x: Float32Array | undefined) => x?.length === 1 || x?.length === size;
  if (size * 4 > SMALL_BYTES || !operands.every(isFit)) return false;
  const at = (x: Float32Array | undefined, i: number) => x?.[x.length === 1 ? 0 : i] ?? NaN;
  const result = Float32Array.from({ length: size }, (_, i) => f(at(operands[0], i), at(operands[1], i)));
  edit.alias(node, edit.constant(new Uint8Array(result.buffer), output.shape, output.dtype));
  return true;
};

/** A reshaped small constant is another constant. */
const reshape: Rule = (edit, node, output) => {
  const bytes = node.op === "Reshape" ? edit.bytes(node.inputs[0] ?? "") : undefined;
  if (bytes === undefined) return false;
  edit.alias(node, edit.constant(bytes, output.shape, output.dtype));
  return true;
};

/** Where with a mask of equal elements, or with two equal choices. */
const where: Rule = (edit, node, output) => {
  if (node.op !== "Where") return false;
  const [mask = "", yes = "", no = ""] = node.inputs;
  const chosen = yes === no ? yes : chosenBy(edit, mask, yes, no);
  if (chosen === undefined) return false;
  edit.become(node, output, chosen);
  return true;
};

function chosenBy(edit: Edit, mask: string, yes: string, no: string): string | undefined {
  const values = edit.bytes(edit.maker(mask, "Expand")?.inputs[0] ?? mask);
  const [first] = values ?? [];
  if (first === undefined || values?.some((x) => x !== first) === true) return undefined;
  return first === 0 ? no : yes;
}

export const constants: readonly Rule[] = [compute, reshape, where];
