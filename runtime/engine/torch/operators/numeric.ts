/** Operators that combine elements: products and reductions. */
import { int, ints, tensor } from "../dispatch.ts";
import type { TorchType } from "../library.ts";
import { attribute, given, isFloat, listOf, type Lowering, type Operand, type Operator } from "./lowering.ts";
import { reduced } from "./reduce.ts";

/** The slot of an operand with its last two axes swapped, if it is to be transposed. */
function turned({ build }: Lowering, { slot, shape }: Operand, isTransposed: boolean): number {
  const axes = [...shape.keys()];
  return isTransposed ? build.permute(slot, [...axes.slice(0, -2), ...axes.slice(-2).toReversed()]) : slot;
}

/** MatMul, FusedMatMul and Gemm: a product whose operands may be transposed, and to which Gemm adds its third operand. */
const product: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [a, b, sum, out] = [given(operands, 0), given(operands, 1), operands[2], given(outputs, 0)];
  const x = turned(lowering, a, attribute(lowering, "transA", 0) === 1);
  const y = turned(lowering, b, attribute(lowering, "transB", 0) === 1);
  if (a.shape.length !== 2 || b.shape.length !== 2)
    return void build.dispatch("matmul", [tensor(x), tensor(y)], { to: [out.slot] });
  if (sum === undefined) return void build.product(x, y, out, out.slot);
  const isInPlace = sum.isFree && sum.dtype === out.dtype && sum.shape.join() === out.shape.join();
  build.addProduct(sum.slot, [x, y], { ...out, isInPlace }, out.slot);
};

const softmax: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const args = [tensor(given(operands, 0).slot), int(attribute(lowering, "axis", -1)), int(0)];
  build.dispatch("_softmax", args, { to: [given(outputs, 0).slot] });
};

/** The axes to reduce; without a second operand, or with an empty one, all. */
function axesOf(lowering: Lowering): readonly number[] {
  const axes = lowering.operands.length > 1 ? listOf(lowering, 1) : [];
  return axes.length > 0 ? axes : [...given(lowering.operands, 0).shape.keys()];
}

/** The kernels keep the type of their operand; of bfloat16 the result is float32. */
const extreme =
  (name: "amax" | "amin"): Operator =>
  (lowering) => {
    const { build, operands, outputs } = lowering;
    const [x, { slot, dtype }] = [given(operands, 0), given(outputs, 0)];
    const args = [tensor(x.slot), ints(axesOf(lowering)), int(attribute(lowering, "keepdims", 1))];
    if (x.dtype === dtype) build.dispatch(name, args, { to: [slot] });
    else build.cast(build.dispatch(name, args), dtype, { to: slot });
  };

/** Sums of integers would be int64 if the type were not given. */
const sum: Operator = (lowering) => void reduce(lowering, "sum", given(lowering.outputs, 0).slot);

/** The mean of integers is refused: it is taken in float64, and cut to an integer as ONNX does. */
const mean: Operator = (lowering) => {
  const { build, outputs } = lowering;
  const out = given(outputs, 0);
  if (isFloat(out)) return void reduce(lowering, "mean", out.slot);
  const exact = reduce(lowering, "mean", build.slot(), "float64");
  build.cast(exact, out.dtype, { to: out.slot });
};

function reduce(lowering: Lowering, name: "sum" | "mean", to: number, type?: TorchType): number {
  const { build, operands, outputs } = lowering;
  const keeps = attribute(lowering, "keepdims", 1) === 1;
  const reduction = { axes: axesOf(lowering), keeps, type: type ?? given(outputs, 0).dtype };
  return reduced(build, name, given(operands, 0).slot, reduction, to);
}

export const numeric: Readonly<Record<string, Operator>> = {
  MatMul: product,
  FusedMatMul: product,
  Gemm: product,
  Softmax: softmax,
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceMax: extreme("amax"),
  ReduceMin: extreme("amin"),
};
