/** Operators that move values. What can be a view is one. */
import { int, ints, tensor } from "../dispatch.ts";
import { attribute, given, listOf, type Operator } from "./lowering.ts";

const reshape: Operator = ({ build, operands, outputs }) => {
  const { shape, slot } = given(outputs, 0);
  build.reshape(given(operands, 0).slot, shape, slot);
};

const transpose: Operator = ({ build, operands, outputs, attributes }) => {
  build.permute(given(operands, 0).slot, attributes["perm"] as readonly number[], given(outputs, 0).slot);
};

/** A view that repeats without memory: nothing may write to it. */
const expand: Operator = ({ build, operands, outputs }) => {
  const { shape, slot } = given(outputs, 0);
  build.dispatch("expand", [tensor(given(operands, 0).slot), ints(shape), int(0)], { to: [slot], isOwner: false });
};

const concat: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const { slot, shape } = given(outputs, 0);
  const axis = attribute(lowering, "axis", 0);
  build.concat(
    operands.map((x) => x.slot),
    axis < 0 ? axis + shape.length : axis,
    slot,
  );
};

/** Negative positions count from the end, and all are limited to the axis. */
const slice: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [x, { slot }] = [given(operands, 0), given(outputs, 0)];
  const [starts, ends, axes] = [listOf(lowering, 1), listOf(lowering, 2), listOf(lowering, 3)];
  if (axes.length === 0) return void build.reshape(x.slot, x.shape, slot);
  let from = x.slot;
  axes.forEach((given, i) => {
    const axis = given < 0 ? given + x.shape.length : given;
    const size = x.shape[axis] ?? 0;
    const position = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, 0), size);
    const start = position(starts[i] ?? 0);
    const length = Math.max(0, position(ends[i] ?? 0) - start);
    from = build.narrow(from, axis, start, length, i === axes.length - 1 ? slot : build.slot());
  });
};

const gather: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [x, indices, { slot, shape }] = [given(operands, 0), given(operands, 1), given(outputs, 0)];
  const axis = attribute(lowering, "axis", 0);
  const flat = build.reshape(indices.slot, [-1]);
  const selected = build.dispatch("index_select", [tensor(x.slot), int(axis), tensor(flat)]);
  build.reshape(selected, shape, slot);
};

const tile: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const args = [tensor(given(operands, 0).slot), ints(listOf(lowering, 1))];
  build.dispatch("repeat", args, { to: [given(outputs, 0).slot] });
};

/** ONNX has the amounts before all axes, then those after; PyTorch has pairs, the last axis first. */
const pad: Operator = (lowering) => {
  const { build, operands, outputs } = lowering;
  const [x, { slot }] = [given(operands, 0), given(outputs, 0)];
  const amounts = listOf(lowering, 1);
  const axes = [...x.shape.keys()].toReversed();
  const pairs = axes.flatMap((axis) => [amounts[axis] ?? 0, amounts[axis + x.shape.length] ?? 0]);
  build.pad(x.slot, pairs, operands.length > 2 ? given(listOf(lowering, 2), 0) : 0, slot);
};

export const layout: Readonly<Record<string, Operator>> = {
  Reshape: reshape,
  Transpose: transpose,
  Expand: expand,
  Concat: concat,
  Slice: slice,
  Gather: gather,
  Tile: tile,
  Pad: pad,
};
