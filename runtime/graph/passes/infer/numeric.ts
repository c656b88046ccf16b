import type { Shape } from "../../../contract.ts";
import type { ElementType } from "../../graph.ts";
import { convolvedShape } from "../../convolved-shape.ts";
import { axisOf, broadcastAll, sameType, type Operands, type Rule } from "./operands.ts";

const floats: readonly ElementType[] = ["float32", "float16", "bfloat16"];
const text = (shape: Shape) => `[${shape.join(", ")}]`;

/** FusedMatMul has the attributes, MatMul has none. */
const matMul: Rule = (operands) => {
  const [a, b] = [operands.at(0), operands.at(1)];
  const dtype = sameType([a, b], floats);
  const [m, k] = transposed(a.shape.slice(-2), operands.integer("transA", 0));
  const [inner, n] = transposed(b.shape.slice(-2), operands.integer("transB", 0));
  if (m === undefined || n === undefined || k !== inner) {
    throw new Error(`multiplies ${text(a.shape)} and ${text(b.shape)}`);
  }
  return { shape: [...broadcastAll([a.shape.slice(0, -2), b.shape.slice(0, -2)]), m, n], dtype };
};

/** The third operand is added to the product, to whose shape it is broadcast. */
const gemm: Rule = (operands) => {
  const [a, b] = [operands.at(0), operands.at(1)];
  const dtype = sameType(operands.all, floats);
  const [m, k] = transposed(a.shape, operands.integer("transA", 0));
  const [inner, n] = transposed(b.shape, operands.integer("transB", 0));
  if (m === undefined || n === undefined || k !== inner || a.shape.length !== 2 || b.shape.length !== 2) {
    throw new Error(`multiplies ${text(a.shape)} and ${text(b.shape)}`);
  }
  const shape = [m, n];
  if (operands.has(2) && broadcastAll([operands.at(2).shape, shape]).join() !== shape.join()) {
    throw new Error(`adds ${text(operands.at(2).shape)} to a product of ${text(shape)}`);
  }
  return { shape, dtype };
};

/** Of ONNX's attributes only `pads` is used; else the defaults: stride 1, one group. */
const conv: Rule = (operands) => {
  const [x, weight] = [operands.at(0), operands.at(1)];
  const shape = convolvedShape(x.shape, weight.shape, operands.list("pads", []));
  if (operands.has(2) && operands.at(2).shape.join() !== `${shape[1]}`)
    throw new Error(`adds ${text(operands.at(2).shape)} to ${shape[1]} channels`);
  return { shape, dtype: sameType(operands.all, ["float32", "float16"]) };
};

function transposed(shape: Shape, isTransposed: number): Shape {
  return isTransposed === 1 ? shape.toReversed() : shape;
}

const softmax: Rule = (operands) => {
  const x = operands.at(0);
  axisOf(operands.integer("axis", -1), x.shape.length);
  return { shape: x.shape, dtype: sameType([x], ["float32", "float16"]) };
};

/** Reduces the axes that the second operand lists; without it all axes. Of bfloat16 the result is float32. */
const reduce: Rule = (operands) => {
  const x = operands.at(0);
  const axes = reducedAxes(operands, x.shape);
  const keeps = operands.integer("keepdims", 1) === 1;
  const shape = x.shape.flatMap((size, axis) => (axes.has(axis) ? (keeps ? [1] : []) : [size]));
  const dtype = sameType([x], [...floats, "int32", "int64"]);
  return { shape, dtype: dtype === "bfloat16" ? "float32" : dtype };
};

/** Throws if the axes are not constant. */
function reducedAxes(operands: Operands, shape: Shape): Set<number> {
  if (!operands.has(1)) return new Set(shape.keys());
  const axes = operands.integers(1);
  if (axes === null) throw new Error("has no constant axes");
  return new Set((axes.length === 0 ? [...shape.keys()] : axes).map((axis) => axisOf(axis, shape.length)));
}

/** Operators that combine elements: those of https://onnx.ai/onnx/operators/, and ONNX Runtime's FusedMatMul. */
export const numeric: Readonly<Record<string, Rule>> = {
  MatMul: matMul,
  FusedMatMul: matMul,
  Gemm: gemm,
  Conv: conv,
  Softmax: softmax,
  ReduceSum: reduce,
  ReduceMean: reduce,
  ReduceMax: reduce,
  ReduceMin: reduce,
};
