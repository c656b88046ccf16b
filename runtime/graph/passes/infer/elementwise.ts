import { elementTypes, type ElementType } from "../../graph.ts";
import { broadcastAll, commonType, sameType, type Rule } from "./operands.ts";

const floats: readonly ElementType[] = ["float32", "float16", "bfloat16"];
const numbers: readonly ElementType[] = [...floats, "int32", "int64"];
const all: readonly ElementType[] = [...numbers, "bool"];

const unary =
  (allowed: readonly ElementType[]): Rule =>
  (operands) => ({ shape: operands.at(0).shape, dtype: sameType([operands.at(0)], allowed) });

const binary =
  (allowed: readonly ElementType[], result?: ElementType): Rule =>
  (operands) => {
    const pair = [operands.at(0), operands.at(1)];
    const dtype = commonType(pair, allowed);
    return { shape: broadcastAll(pair.map(({ shape }) => shape)), dtype: result ?? dtype };
  };

const cast: Rule = (operands) => {
  const number = operands.integer("to", 0);
  const dtype = (Object.keys(elementTypes) as ElementType[]).find((name) => elementTypes[name] === number);
  if (dtype === undefined) throw new Error(`has to=${number}`);
  return { shape: operands.at(0).shape, dtype };
};

const where: Rule = (operands) => {
  const [mask, a, b] = [operands.at(0), operands.at(1), operands.at(2)];
  sameType([mask], ["bool"]);
  return { shape: broadcastAll([mask.shape, a.shape, b.shape]), dtype: commonType([a, b], all) };
};

const each = (names: string, rule: Rule): Record<string, Rule> =>
  Object.fromEntries(names.split(" ").map((name) => [name, rule]));

/** Operators that compute each element by itself, https://onnx.ai/onnx/operators/ */
export const elementwise: Readonly<Record<string, Rule>> = {
  ...each("Sqrt Exp Log Tanh Sigmoid Sin Cos Floor Reciprocal", unary(floats)),
  ...each("Neg Abs", unary(numbers)),
  ...each("Identity", unary(all)),
  ...each("Not", unary(["bool"])),
  ...each("Add Sub Mul Div Pow", binary(numbers)),
  ...each("Less LessOrEqual Greater GreaterOrEqual", binary(numbers, "bool")),
  ...each("Equal", binary(all, "bool")),
  ...each("And Or", binary(["bool"])),
  Cast: cast,
  Where: where,
};
