import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";

/**
 * Runs `f` off the tape: its result has no gradient and none of the kernels inside needs one (tfjs throws where a
 * comparison lies on a differentiable path).
 */
export function detached(tf: Tf, f: () => TfTensor): TfTensor {
  return tf.customGrad(() => ({ value: f(), gradFunc: () => [] }))();
}

/** Undoes broadcasting in a gradient: sums `x` over the axes along which `shape` was repeated, until it has that shape. */
export function sumTo(tf: Tf, x: TfTensor, shape: readonly number[]): TfTensor {
  const added = x.rank - shape.length;
  const axes = x.shape.flatMap((size, axis) =>
    axis < added || (shape[axis - added] === 1 && size !== 1) ? [axis] : [],
  );
  const summed = axes.length === 0 ? x : tf.sum(x, axes);
  return tf.reshape(summed, [...shape]);
}

/** A function with a gradient of its own: `forward` saves what `backward` needs to turn the result's gradient into the inputs'. */
export function withGradient(
  tf: Tf,
  inputs: readonly TfTensor[],
  forward: (save: (tensors: TfTensor[]) => void) => TfTensor,
  backward: (dy: TfTensor, saved: TfTensor[]) => TfTensor[],
): TfTensor {
  const f = tf.customGrad((...args) => {
    const save = args[args.length - 1] as unknown as (tensors: TfTensor[]) => void;
    return { value: forward(save), gradFunc: (dy: TfTensor, saved: TfTensor[]) => backward(dy, saved) };
  });
  return f(...inputs);
}

/**
 * Gradients of a scalar, or of anything with the gradient `dy` that it has from what follows. Without parameters there is nothing to record. A parameter that the loss does not depend on has no gradient.
 */
export function gradientsOf(
  tf: Tf,
  run: () => TfTensor,
  parameters: readonly TfTensor[],
  dy?: TfTensor,
): { value: TfTensor; grads: readonly (TfTensor | undefined)[] } {
  if (parameters.length === 0) return { value: tf.tidy(run), grads: [] };
  return tf.engine().gradients(run, [...parameters], dy, true);
}
