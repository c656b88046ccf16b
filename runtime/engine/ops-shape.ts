import { detached, sumTo, withGradient } from "./autodiff.ts";
import type { Tf, TfOps, TfTensor } from "../graph/record/tfjs-types.ts";

type Shaping = Pick<
  TfOps,
  | ("sum" | "mean" | "max" | "min" | "any" | "all")
  | ("reshape" | "transpose" | "concat" | "slice" | "gather" | "broadcastTo" | "fill")
>;
type Reduction = (x: TfTensor, axes?: number[], keepDims?: boolean) => TfTensor;

/** Reductions, and operations that move values without changing them. */
export function shapeOps(tf: Tf): Shaping {
  const over =
    (f: Reduction) =>
    (x: TfTensor, axes?: readonly number[], keepDims = false) =>
      axes === undefined ? f(x, undefined, keepDims) : axes.length === 0 ? tf.clone(x) : f(x, [...axes], keepDims);
  const ofMask = (f: Reduction) => over((x, axes, keepDims) => detached(tf, () => f(x, axes, keepDims)));
  return {
    sum: over(tf.sum),
    mean: over(tf.mean),
    max: over(tf.max),
    min: over(tf.min),
    any: ofMask(tf.any),
    all: ofMask(tf.all),
    reshape: (x, shape) => tf.reshape(x, [...shape]),
    transpose: (x, order) => tf.transpose(x, [...order]),
    concat: (xs, axis) => tf.concat(xs, axis),
    slice: (x, begin, size) => tf.slice(x, [...begin], [...size]),
    gather: (x, indices) => gatherRows(tf, x, indices),
    // tfjs computes the gradient of a broadcast in a loop over the copies.
    broadcastTo: (x, shape) =>
      withGradient(
        tf,
        [x],
        () => tf.broadcastTo(x, [...shape]),
        (dy) => [sumTo(tf, dy, x.shape)],
      ),
    fill: (shape, value) => tf.fill(shape.slice(), value, "float32"),
  };
}

/**
 * The gradient adds each row of dy to the row that it was gathered from. Computed as a product with a one-hot matrix, since wasm has no
 * segment sum.
 */
function gatherRows(tf: Tf, x: TfTensor, indices: TfTensor): TfTensor {
  const [rows = 0] = x.shape;
  return withGradient(
    tf,
    [x],
    (save) => {
      save([indices]);
      return tf.gather(x, indices);
    },
    (dy, [saved]) => {
      const chosen = tf.oneHot(tf.reshape(saved as TfTensor, [-1]) as ReturnType<Tf["tensor1d"]>, rows) as TfTensor;
      const flat = tf.reshape(dy, [indices.size, x.size / rows]);
      return [tf.reshape(tf.matMul(tf.cast(chosen, "float32"), flat, true), x.shape)];
    },
  );
}
