import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";

/**
 * Runs `f` off the tape: its result has no gradient, and the kernels inside need none. tfjs throws if a comparison is on a
 * differentiable path.
 */
export function detached(tf: Tf, f: () => TfTensor): TfTensor {
  return tf.customGrad(() => ({ value: f(), gradFunc: () => [] }))();
}

/** The gradient of broadcasting: sums `x` over the axes along which a tensor of `shape` was repeated. */
export function sumTo(tf: Tf, x: TfTensor, shape: readonly number[]): TfTensor {
  const added = x.rank - shape.length;
  const axes = x.shape.flatMap((size, axis) =>
    axis < added || (shape[axis - added] === 1 && size !== 1) ? [axis] : [],
  );
  const summed = axes.length === 0 ? x : tf.sum(x, axes);
  return tf.reshape(summed, [...shape]);
}

/**
 * Computes `forward` with a gradient of our own. `forward` saves the tensors that `backward` needs to turn the gradient of the result
 * into one gradient per input.
 */
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
 * Runs a function and differentiates its result by each parameter; a parameter that the result does not depend on has no gradient.
 * @param dy the gradient of the result; not needed for a scalar loss
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
