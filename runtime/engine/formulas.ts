import type { Attribute } from "../graph/graph.ts";
import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";
import { attentionGradients, attentionOutput, type AttentionOperands } from "./attention.ts";

/**
 * What an operator of `graph/composites.ts` computes, in float32 and in tfjs's operations. An input is null if no formula makes it, as
 * the sums of attention, which its gradient does not need here.
 */
export type Formula = (
  tf: Tf,
  inputs: readonly (TfTensor | null)[],
  attributes: Readonly<Record<string, Attribute>>,
) => readonly TfTensor[];

function operandsOf(inputs: readonly (TfTensor | null)[], bias: TfTensor | null = null): AttentionOperands {
  const [q, k, v] = inputs as [TfTensor, TfTensor, TfTensor];
  return { q, k, v, bias };
}

const attention: Formula = (tf, inputs, attributes) => [
  attentionOutput(tf, operandsOf(inputs, inputs[3]), Number(attributes["scale"])),
];

const attentionGrad: Formula = (tf, [dO, q, k, v, o, , bias], attributes) =>
  attentionGradients(
    tf,
    operandsOf([q, k, v] as TfTensor[], bias),
    { dO, o } as { dO: TfTensor; o: TfTensor },
    Number(attributes["scale"]),
  );

/** x and a zero that depends on the other value. A graph whose equal computations are merged then computes x again. */
const after: Formula = (tf, inputs) => {
  const [x, other] = inputs as [TfTensor, TfTensor];
  const zero = tf.mul(tf.slice(tf.reshape(other, [-1]), 0, 1).asScalar(), 0);
  return [tf.add(x, zero)];
};

/** By operator. */
export const formulas: ReadonlyMap<string, Formula> = new Map(
  Object.entries({ Attention: attention, AttentionGrad: attentionGrad, After: after }),
);
