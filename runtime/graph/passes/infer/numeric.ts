import type { Shape } from "../../../contract.ts";
import { axisOf, broadcastAll, sameType, type Operands, type Rule } from "./operands.ts";

const text = (shape: Shape) => `[${shape.join(", ")}]`;

/** Attributes are those of FusedMatMul, MatMul has none. */
const matMul: Rule = (operands) => {
  const [a, b] = [operands.at(0), operands.at(1)];
  const dtype = sameType([a, b], ["float32", "float16"]);
  const [m, k] = turned(a.shape.slice(-2), operands.integer("transA", 0));
  const [inner, n] = turned(b.shape.slice(-2), operands.integer("transB", 0));
  if (m === undefined || n === undefined || k !== inner) {
    throw new Error(`multiplies ${text(a.shape)} and ${text(b.shape)}`);
  }
  return { shape: [...broadcastAll([a.shape.slice(0, -2), b.shape.slice(0, -2)]), m, n], dtype };
};

/** A third operand is added; it may be smaller than the product, not larger. */
const gemm: Rule = (operands) => {
  const [a, b] = [operands.at(0), operands.at(1)];
  const dtype = sameType(operands.all, ["float32", "float16"]);
  const [m, k] = turned(a.shape, operands.integer("transA", 0));
  const [inner, n] = turned(b.shape, operands.integer("transB", 0));
  if (m === undefined || n === undefined || k !== inner || a.shape.length !== 2 || b.shape.length !== 2) {
    throw new Error(`multiplies ${text(a.shape)} and ${text(b.shape)}`);
  }
  const shape = [m, n];
  if (operands.has(2) && broadcastAll([operands.at(2).shape, shape]).join() !== shape.join()) {
    throw new Error(`adds ${text(operands.at(2).shape)} to a product of ${text(shape)}`);
  }
  return { shape, dtype };
};

function turned(shape: Shape, isTurned: number): Shape {
  return isTurned === 1 ? shape.toReversed() : shape;
}

const softmax: Rule = (operands) => {
  const x = operands.at(0);
  axisOf(operands.integer("axis", -1), x.shape.length);
  return { shape: x.shape, dtype: sameType([x], ["float32", "float16"]) };
};

/** Over the axes of the second operand, over all without it. */
const reduce: Rule = (operands) => {
  const x = operands.at(0);
  const axes = reducedAxes(operands, x.shape);
  const keeps = operands.integer("keepdims", 1) === 1;
  const shape = x.shape.flatMap((size, axis) => (axes.has(axis) ? (keeps ? [1] : []) : [size]));
  return { shape, dtype: sameType([x], ["float32", "float16", "int32", "int64"]) };
};

/** Errors: throws where axes are not constant. */
function reducedAxes(operands: Operands, shape: Shape): Set<number> {
  if (!operands.has(1)) return new Set(shape.keys());
  const axes = operands.integers(1);
  if (axes === null) throw new Error("has no constant axes");
  return new Set((axes.length === 0 ? [...shape.keys()] : axes).map((axis) => axisOf(axis, shape.length)));
}

/** Operators that compute across elements, https://onnx.ai/onnx/operators/, and a product of ONNX Runtime's own. */
export const numeric: Readonly<Record<string, Rule>> = {
  MatMul: matMul,
  FusedMatMul: matMul,
  Gemm: gemm,
  Softmax: softmax,
  ReduceSum: reduce,
  ReduceMean: reduce,
  ReduceMax: reduce,
  ReduceMin: reduce,
};
