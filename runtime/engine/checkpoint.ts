import { gradientsOf, withGradient } from "./autodiff.ts";
import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";
import type { Checkpointed } from "./engine.ts";

/** The values of x as a tensor of its own, which an engine that records does not compute before `other`. */
type After = (x: TfTensor, other: TfTensor) => TfTensor;

/** Gradient checkpointing, Chen et al. 2016, "Training deep nets with sublinear memory cost", arXiv:1604.06174. */
export function checkpoint(
  tf: Tf,
  f: (given: readonly TfTensor[]) => TfTensor,
  { inputs, constants, parameters }: Checkpointed<TfTensor>,
  after: After = (x) => tf.clone(x),
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
      tf.tidy(() => {
        // Of constants, too: what a block makes of them alone would otherwise be kept from the forward pass.
        const again = saved.map((x) => (x.dtype === "float32" ? after(x, dy) : x));
        return backward(tf, f, dy, { inputs: again.slice(0, count), constants: again.slice(count), parameters });
      }),
  );
}

function backward(
  tf: Tf,
  f: (given: readonly TfTensor[]) => TfTensor,
  dy: TfTensor,
  { inputs, constants, parameters }: Checkpointed<TfTensor>,
): TfTensor[] {
  const variables = [...inputs, ...parameters];
  const { state } = tf.engine();
  const tape = state.activeTape;
  try {
    // tfjs loses the outer tape when autodiff runs inside of autodiff; `finally` restores it.
    const { grads } = gradientsOf(tf, () => f([...inputs, ...constants]), variables, dy);
    return variables.map((x, i) => grads[i] ?? tf.zerosLike(x));
  } finally {
    state.activeTape = tape;
  }
}
