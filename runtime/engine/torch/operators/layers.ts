/** Layers and their gradients (`graph/composites.ts`), as one call or a few. */
import { int, ints, none, some, tensor, text } from "../dispatch.ts";
import { hasOneDnn, ONE_DNN, oneDnnArguments } from "../one-dnn.ts";
import { given, type Lowering, type Operand, type Operator } from "./lowering.ts";

const linear: Operator = ({ build, operands, outputs }) => {
  const [x, weight, bias] = [given(operands, 0), given(operands, 1), operands[2]];
  const args = [tensor(x.slot), tensor(weight.slot), bias === undefined ? none : some(tensor(bias.slot))];
  build.dispatch("linear", args, { to: [given(outputs, 0).slot] });
};

const linearGradInput: Operator = ({ build, operands, outputs }) => {
  const args = [tensor(given(operands, 0).slot), tensor(given(operands, 1).slot)];
  build.dispatch("matmul", args, { to: [given(outputs, 0).slot] });
};

/** The product is added in the memory of the sum, where nothing else reads that. */
const withSum =
  (isTransposed: boolean): Operator =>
  (lowering) => {
    const { build, operands, outputs } = lowering;
    const [x, weight, sum, out] = [given(operands, 0), given(operands, 1), given(operands, 2), given(outputs, 0)];
    const turned = () => build.once(`turned ${weight.slot}`, () => build.permute(weight.slot, [1, 0]));
    const factor = isTransposed ? turned() : weight.slot;
    if (sum.isFree) build.accumulate(inRows(lowering, sum), [inRows(lowering, x), factor], out.shape, out.slot);
    else build.add(sum.slot, build.dispatch("matmul", [tensor(x.slot), tensor(factor)]), 1, out.slot);
  };

const linearGradWeight: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [dy, x, out] = [given(operands, 0), given(operands, 1), given(outputs, 0)];
  build.product(build.permute(inRows(lowering, dy), [1, 0]), inRows(lowering, x), out, out.slot);
};

/**
 * Stride 1, one group, as many zeros before an axis as behind it. On the CPU PyTorch gives small 3D convolutions, of at most 20,480 rows of cells, to a kernel of its own, which
 * reaches a third to a half of what oneDNN does with them.
 */
const conv: Operator = ({ build, operands, attributes, outputs }) => {
  const [x, weight, bias] = [given(operands, 0), given(operands, 1), operands[2]];
  const [axes, to] = [weight.shape.length - 2, [given(outputs, 0).slot]];
  const isOneDnn = x.dtype === "float32" && hasOneDnn(build.torch);
  const own = [tensor(x.slot), tensor(weight.slot), bias === undefined ? none : some(tensor(bias.slot))];
  const zeros = zerosOf(attributes, axes);
  if (isOneDnn) return void build.dispatch(ONE_DNN, oneDnnArguments(own, zeros), { to });
  const all = (value: number) => ints(Array.from({ length: axes }, () => value));
  // Stride, padding, dilation; not transposed, whose padding of the output comes next; groups.
  const settings = [all(1), ints(zeros), all(1), int(0), all(0), int(1)];
  build.dispatch("convolution", [...own, ...settings], { to });
};

/** How many zeros stand around each axis. */
function zerosOf({ pads = [] }: Lowering["attributes"], axes: number): number[] {
  const list = Array.from({ length: 2 * axes }, (_, i) => Number((pads as readonly number[])[i] ?? 0));
  const [before, behind] = [list.slice(0, axes), list.slice(axes)];
  if (before.join() !== behind.join()) throw new Error(`has other zeros before an axis than behind it: ${list.join()}`);
  return before;
}

/** All axes but the last one as one: one view for all who read the value so. */
function inRows({ build }: Lowering, { slot, shape }: Operand): number {
  return shape.length === 2 ? slot : build.once(`rows of ${slot}`, () => build.reshape(slot, [-1, shape.at(-1) ?? 1]));
}

const gelu =
  (name: "gelu" | "gelu_backward"): Operator =>
  ({ build, operands, outputs }) => {
    const args = [...operands.map(({ slot }) => tensor(slot)), text("tanh")];
    build.dispatch(name, args, { to: [given(outputs, 0).slot] });
  };

/** The product is made in float32, and rounded once. */
const dequantize: Operator = (lowering) => {
  const { build, operands, outputs, attributes } = lowering;
  const [weight, scale, out] = [given(operands, 0), given(operands, 1), given(outputs, 0)];
  const { group } = attributes;
  if (group !== undefined) return dequantizeGroups(lowering, Number(group));
  const wide = build.cast(weight.slot, "float32");
  if (out.dtype === "float32") build.multiply(wide, scale.slot, out.slot);
  else build.cast(build.multiply(wide, scale.slot), out.dtype, { to: out.slot });
};

/** A byte, w = 16 h + l with l from 0 to 15, holds the numbers l - 8 and h. In bfloat16 all of that is exact. */
function dequantizeGroups({ build, operands, outputs }: Lowering, group: number): void {
  const [bytes, scale, out] = [given(operands, 0), given(operands, 1), given(outputs, 0)];
  const [rows = 0, width = 0] = out.shape;
  const whole = build.cast(bytes.slot, "bfloat16");
  const high = build.dispatch("floor", [tensor(build.scale(whole, 1 / 16))]);
  const low = build.addNumber(build.add(whole, high, -16), -8);
  const numbers = build.reshape(build.concat([low, high], 1), [rows, width / group, group]);
  const scales = build.reshape(build.cast(scale.slot, "float32"), [rows, width / group, 1]);
  const scaled = build.multiply(numbers, scales);
  if (out.dtype === "float32") build.reshape(scaled, out.shape, out.slot);
  else build.cast(build.reshape(scaled, out.shape), out.dtype, { to: out.slot });
}

export const layers: Readonly<Record<string, Operator>> = {
  Linear: linear,
  LinearGradInput: linearGradInput,
  LinearAdd: withSum(true),
  LinearGradInputAdd: withSum(false),
  LinearGradWeight: linearGradWeight,
  Conv: conv,
  Gelu: gelu("gelu"),
  GeluGrad: gelu("gelu_backward"),
  Dequantize: dequantize,
};
