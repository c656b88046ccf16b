import type { Ops, Tensor } from "../contract.ts";

/** Masked scores get a large finite number: a row with everything masked then is uniform, where -Infinity would give NaN. */
export const largest = 3.4028234663852886e38;
const smallestNormal = 2 ** -126;

/**
 * The additive bias of a context mask. int32 or bool `[B, S]` (or more rows): 1 attends, 0 does not; to `[B, 1, R, S]`. A float32
 * mask is additive already: `[B, 1, R, S]`, or `[B, Tq, S]`, which gets a head axis.
 */
export function contextBias(ops: Ops, mask: Tensor, batch: number, tokens: number): Tensor {
  if (mask.dtype !== "float32") {
    const rows = mask.shape.reduce((a, b) => a * b, 1) / (batch * tokens);
    return ops.reshape(ops.mul(ops.sub(ops.float(mask), 1), largest), [batch, 1, rows, tokens]);
  }
  if (mask.shape.length === 4) return mask;
  if (mask.shape.length === 3) return withHeadAxis(ops, mask);
  throw new Error(
    "a float32 context mask needs 3 or 4 axes: of 2 it can not be told whether the first is the batch or the query",
  );
}

/** `[B, Tq, Tk]` (or `[1 or B, 1, Tk]`) in [0, 1] to the additive ln(mask), `[B, 1, Tq, Tk]`. */
export function attentionBias(ops: Ops, mask: Tensor): Tensor {
  const attends = ops.greater(mask, 0);
  return withHeadAxis(ops, ops.where(attends, ops.log(ops.maximum(mask, smallestNormal)), -largest));
}

function withHeadAxis(ops: Ops, mask: Tensor): Tensor {
  const [batch = 0, ...rest] = mask.shape;
  return ops.reshape(mask, [batch, 1, ...rest]);
}
