/** Cells of an axis become channels and come back. Tensors are `[B, C, frames, rows, columns]`. */
import type { Ops, Tensor } from "../../contract.ts";

export const [TIME, ROWS, COLUMNS] = [2, 3, 4] as const;

/** Each `size` neighbours along an axis become channels: channel c of the i-th becomes channel `c * size + i`. */
function fold(ops: Ops, x: Tensor, axis: number, size: number): Tensor {
  if (size === 1) return x;
  const [batch = 0, channels = 0] = x.shape;
  const { before, length, after } = around(x, axis);
  const split = ops.reshape(x, [batch * channels, before, length / size, size, after]);
  const shape = x.shape.with(1, channels * size).with(axis, length / size);
  return ops.reshape(ops.transpose(split, [0, 3, 1, 2, 4]), shape);
}

/** The inverse, where `inner` channels stand within each of the neighbours: channel `(c * size + i) * inner + j`. */
function unfold(ops: Ops, x: Tensor, axis: number, size: number, inner: number): Tensor {
  if (size === 1) return x;
  const [batch = 0, channels = 0] = x.shape;
  const { before, length, after } = around(x, axis);
  const outer = channels / (size * inner);
  const split = ops.reshape(x, [batch * outer, size, inner * before, length, after]);
  const shape = x.shape.with(1, outer * inner).with(axis, length * size);
  return ops.reshape(ops.transpose(split, [0, 2, 3, 1, 4]), shape);
}

function around({ shape }: Tensor, axis: number) {
  const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  return { before: product(shape.slice(2, axis)), length: shape[axis] ?? 0, after: product(shape.slice(axis + 1)) };
}

type Strides = readonly [time: number, rows: number, columns: number];

/** The channel of the result is ((c * time + t) * rows + r) * columns + column. */
export function spaceToDepth(ops: Ops, x: Tensor, [time, rows, columns]: Strides): Tensor {
  return fold(ops, fold(ops, fold(ops, x, TIME, time), ROWS, rows), COLUMNS, columns);
}

export function depthToSpace(ops: Ops, x: Tensor, [time, rows, columns]: Strides): Tensor {
  const inTime = unfold(ops, x, TIME, time, rows * columns);
  return unfold(ops, unfold(ops, inTime, ROWS, rows, columns), COLUMNS, columns, 1);
}

/** Patches of pixels: here the column comes before the row, channel (c * size + column) * size + row. */
export function patchify(ops: Ops, x: Tensor, size: number): Tensor {
  return fold(ops, fold(ops, x, COLUMNS, size), ROWS, size);
}

export function unpatchify(ops: Ops, x: Tensor, size: number): Tensor {
  return unfold(ops, unfold(ops, x, COLUMNS, size, size), ROWS, size, 1);
}
