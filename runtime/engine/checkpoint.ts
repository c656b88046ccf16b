import { gradientsOf, withGradient } from "./autodiff.ts";
import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";
import type { Checkpointed } from "./engine.ts";

/** Gradient checkpointing, Chen et al. 2016, "Training deep nets with sublinear memory cost", arXiv:1604.06174. */
export function checkpoint(
  tf: Tf,
  f: (given: readonly TfTensor[]) => TfTensor,
  { inputs, constants, parameters }: Checkpointed<TfTensor>,
): TfTensor {
  const count = inputs.length;
  return withGradient(
    tf,
    [...inputs, ...parameters],
    (save) => {
      save([...inputs, ...constants]);
      return f([...inputs, ...constants]);
    },
    (dy, saved) =>
      tf.tidy(() => backward(tf, f, dy, { inputs: saved.slice(0, count), constants: saved.slice(count), parameters })),
  );
}

function backward(
  tf: Tf,
  f: (given: readonly TfTensor[]) => TfTensor,
  dy: TfTensor,
  { inputs, constants, parameters }: Checkpointed<TfTensor>,
): TfTensor[] {
  // A recorded graph would merge the second computation with the first. Adding a zero that depends on dy makes the inputs differ.
  const zero = tf.mul(tf.slice(tf.reshape(dy, [-1]), 0, 1).asScalar(), 0);
  const again = inputs.map((x) => tf.add(x, zero) as TfTensor);
  const variables = [...again, ...parameters];
  const { state } = tf.engine();
  const tape = state.activeTape;
  try {
    // tfjs loses the outer tape when autodiff runs inside of autodiff; `finally` restores it.
    const { grads } = gradientsOf(tf, () => f([...again, ...constants]), variables, dy);
    return variables.map((x, i) => grads[i] ?? tf.zerosLike(x));
  } finally {
    state.activeTape = tape;
  }
}
