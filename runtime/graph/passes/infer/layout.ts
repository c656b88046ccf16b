import type { Shape } from "../../../contract.ts";
import { sizeOf, type ElementType, type Value, type ValueType } from "../../graph.ts";
import { axisOf, broadcastAll, commonType, sameType, type Operands, type Rule } from "./operands.ts";

const moved: readonly ElementType[] = ["float32", "float16", "bfloat16", "int32", "int64", "bool"];

/** The target shape that an input holds; the recorded shape of the output if it is known only when the graph runs. */
function target(operands: Operands, index: number): { readonly sizes: readonly number[]; readonly isKnown: boolean } {
  const sizes = operands.integers(index);
  const { shape } = operands.at(index);
  const { shape: made } = operands.made;
  if (shape.length !== 1) throw new Error("takes a list as its shape");
  if (sizes !== null) return { sizes, isKnown: true };
  if (shape[0] !== made.length) throw new Error(`has a shape of ${String(shape[0])} axes, not ${made.length}`);
  return { sizes: made, isKnown: false };
}

/** A size of 0 in the target means the size of the operand, since allowzero is not set. */
const reshape: Rule = (operands) => {
  const x = operands.at(0);
  const { sizes, isKnown } = target(operands, 1);
  const shape = isKnown ? sizes.map((size, axis) => (size === 0 ? (x.shape[axis] ?? 0) : size)) : sizes;
  if (sizeOf(shape) !== sizeOf(x.shape)) throw new Error(`makes [${shape.join(", ")}] of [${x.shape.join(", ")}]`);
  return { shape, dtype: sameType([x], moved) };
};

const expand: Rule = (operands) => {
  const x = operands.at(0);
  return { shape: broadcastAll([x.shape, target(operands, 1).sizes]), dtype: sameType([x], moved) };
};

const transpose: Rule = (operands) => {
  const x = operands.at(0);
  const perm = operands.list("perm");
  if (perm.toSorted((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== x.shape.length) {
    throw new Error(`has perm=[${perm.join(", ")}] for ${x.shape.length} axes`);
  }
  return { shape: perm.map((axis) => x.shape[axis] ?? 0), dtype: sameType([x], moved) };
};

const concat: Rule = (operands) => {
  const parts = operands.all;
  const dtype = sameType(parts, moved);
  const first = operands.at(0).shape;
  const axis = axisOf(operands.integer("axis", NaN), first.length);
  const rest = (x: Value) => x.shape.with(axis, 0).join(", ");
  const other = parts.find((x) => x.shape.length !== first.length || rest(x) !== rest(operands.at(0)));
  if (other !== undefined) throw new Error(`joins [${first.join(", ")}] and [${other.shape.join(", ")}]`);
  return {
    shape: first.with(
      axis,
      parts.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0),
    ),
    dtype,
  };
};

/** Negative positions count from the end, and all are limited to the axis. Steps are not supported. */
const slice: Rule = (operands) => {
  const x = operands.at(0);
  const [starts, ends, axes] = [operands.integers(1), operands.integers(2), operands.integers(3)];
  if (starts === null || ends === null || axes === null || operands.has(4)) throw new Error("has no constant limits");
  if (starts.length !== axes.length || ends.length !== axes.length) throw new Error("has limits for other axes");
  const shape = [...x.shape];
  axes.forEach((given, i) => {
    const axis = axisOf(given, shape.length);
    const size = x.shape[axis] ?? 0;
    const position = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, 0), size);
    shape[axis] = Math.max(0, position(ends[i] ?? 0) - position(starts[i] ?? 0));
  });
  return { shape, dtype: sameType([x], moved) };
};

const gather: Rule = (operands) => {
  const [x, indices] = [operands.at(0), operands.at(1)];
  sameType([indices], ["int32", "int64"]);
  const axis = axisOf(operands.integer("axis", 0), x.shape.length);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return { shape, dtype: sameType([x], moved) };
};

/** The numbers of an int64 input that must have `count` of them. */
function perAxis(operands: Operands, index: number, count: number): number[] {
  const numbers = operands.integers(index);
  if (numbers?.length !== count) throw new Error(`has ${String(numbers?.length)} numbers for ${count}`);
  return numbers;
}

const tile: Rule = (operands) => {
  const x = operands.at(0);
  const counts = perAxis(operands, 1, x.shape.length);
  return { shape: x.shape.map((size, axis) => size * (counts[axis] ?? 1)), dtype: sameType([x], moved) };
};

const pad: Rule = (operands): ValueType => {
  const x = operands.at(0);
  const rank = x.shape.length;
  const sides = perAxis(operands, 1, 2 * rank);
  const shape: Shape = x.shape.map((size, axis) => size + (sides[axis] ?? 0) + (sides[rank + axis] ?? 0));
  return { shape, dtype: commonType(operands.has(2) ? [x, operands.at(2)] : [x], moved) };
};

/** Operators that move values, https://onnx.ai/onnx/operators/ */
export const layout: Readonly<Record<string, Rule>> = {
  Reshape: reshape,
  Expand: expand,
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Gather: gather,
  Tile: tile,
  Pad: pad,
};
