import type { Ops, Tensor } from "ltxc/contract";

/** Mean absolute difference of the slopes of `a` and `b`, both [B, C, F, H, W], along height and width; [B]. */
export function edges(ops: Ops, a: Tensor, b: Tensor): Tensor {
  return ops.add(difference(ops, a, b, 3), difference(ops, a, b, 4));
}

function difference(ops: Ops, a: Tensor, b: Tensor, axis: number): Tensor {
  return ops.mean(ops.abs(ops.sub(slope(ops, a, axis), slope(ops, b, axis))), [1, 2, 3, 4]);
}

/** The difference of each cell from the one before it. */
function slope(ops: Ops, x: Tensor, axis: number): Tensor {
  const size = x.shape.map((length, i) => (i === axis ? length - 1 : length));
  const begin = (at: number) => x.shape.map((_, i) => (i === axis ? at : 0));
  return ops.sub(ops.slice(x, begin(1), size), ops.slice(x, begin(0), size));
}
