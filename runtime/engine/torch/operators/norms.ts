/** Root-mean-square norms, modulation, and their gradients (`graph/composites.ts`). */
import { float, ints, none, some, tensor } from "../dispatch.ts";
import { attribute, given, type Lowering, type Operand, type Operator } from "./lowering.ts";
import { reduced } from "./reduce.ts";

/** The kernel computes in float32 and rounds its result once, as `RmsNorm` is defined. */
const rmsNorm: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [x, weight] = [given(operands, 0), operands[1]];
  const width = ints([x.shape.at(-1) ?? 1]);
  const args = [tensor(x.slot), width, weight === undefined ? none : some(tensor(weight.slot))];
  const to = [given(outputs, 0).slot, outputs[1]?.slot ?? build.slot()];
  build.dispatch("_fused_rms_norm", [...args, some(float(attribute(lowering, "eps", NaN)))], { to });
};

/** dx = r (g - y mean(g y)) with y = x r and g = dy w. r is float32, so all that follows from it is. On a CPU there is no fused kernel. */
const rmsNormGrad: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [dy, x, r] = [given(operands, 0), given(operands, 1), given(operands, 2)];
  const [weight, dx, dWeight] = [operands[3], given(outputs, 0), outputs[1]];
  const y = build.multiply(x.slot, r.slot);
  const g = weight === undefined ? dy.slot : build.multiply(dy.slot, weight.slot);
  const mean = reduced(build, "mean", build.multiply(g, y), { axes: [-1], keeps: true, type: "float32" });
  const rest = build.add(g, build.multiply(y, mean), -1);
  stored(lowering, dx, (to) => build.multiply(rest, r.slot, to));
  if (dWeight !== undefined) sumInto(lowering, dWeight, build.multiply(dy.slot, y), x.shape);
};

/** Each of the three calls rounds its result. */
const modulate: Operator = ({ build, operands, outputs }) => {
  const [x, scale, shift] = [given(operands, 0), given(operands, 1), given(operands, 2)];
  const scaled = build.multiply(x.slot, build.addNumber(scale.slot, 1));
  build.add(scaled, shift.slot, 1, given(outputs, 0).slot);
};

const modulateGrad: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [dy, x, scale] = [given(operands, 0), given(operands, 1), given(operands, 2)];
  build.multiply(dy.slot, build.addNumber(scale.slot, 1), given(outputs, 0).slot);
  const [, dScale, dShift] = outputs;
  // What is summed up is not rounded before.
  const wide = (dScale?.shape ?? x.shape).join() === x.shape.join() ? dy.slot : build.cast(dy.slot, "float32");
  if (dScale !== undefined) sumInto(lowering, dScale, build.multiply(wide, x.slot), x.shape);
  if (dShift !== undefined) sumInto(lowering, dShift, dy.slot, x.shape);
};

type Output = Lowering["outputs"][number];

/** A float32 result in the type of an output. */
function stored({ build }: Lowering, { slot, dtype }: Output, make: (to?: number) => number): void {
  if (dtype === "float32") make(slot);
  else build.cast(make(), dtype, { to: slot });
}

/** Sums over the axes along which a value of the output's shape was repeated to `shape`, in float32. */
function sumInto(lowering: Lowering, out: Output, x: number, shape: Operand["shape"]): void {
  const { build } = lowering;
  const missing = shape.length - out.shape.length;
  const axes = [...shape.keys()].filter(
    (axis) => axis < missing || (out.shape[axis - missing] === 1 && shape[axis] !== 1),
  );
  if (axes.length === 0) return void build.cast(x, out.dtype, { to: out.slot, isOwner: false });
  const sum = reduced(build, "sum", x, { axes, keeps: true, type: "float32" });
  const flat = build.reshape(sum, out.shape, out.dtype === "float32" ? out.slot : build.slot());
  if (out.dtype !== "float32") build.cast(flat, out.dtype, { to: out.slot });
}

export const norms: Readonly<Record<string, Operator>> = {
  RmsNorm: rmsNorm,
  RmsNormGrad: rmsNormGrad,
  Modulate: modulate,
  ModulateGrad: modulateGrad,
};
