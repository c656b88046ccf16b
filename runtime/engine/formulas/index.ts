import type { Attribute } from "../../graph/graph.ts";
import type { Tf, TfTensor } from "../../graph/record/tfjs-types.ts";
import { attentionGradients, attentionOutput, type AttentionOperands } from "../attention.ts";
import { sumTo } from "../autodiff.ts";
import { adamw as adamwOf } from "./adamw.ts";
import * as layers from "./layers.ts";

type Attributes = Readonly<Record<string, Attribute>>;

/**
 * What an operator of `graph/composites.ts` computes, in float32 and in tfjs's operations. An input is null if no formula makes it, as
 * the sums of attention, which its gradient does not need here.
 */
export type Formula = (tf: Tf, inputs: readonly (TfTensor | null)[], attributes: Attributes) => readonly TfTensor[];

/** A formula that has all of its inputs. */
type Full = (
  tf: Tf,
  inputs: readonly [TfTensor, TfTensor, TfTensor, ...TfTensor[]],
  attributes: Attributes,
) => readonly TfTensor[];

function operandsOf(inputs: readonly (TfTensor | null)[], bias: TfTensor | null = null): AttentionOperands {
  const [q, k, v] = inputs as [TfTensor, TfTensor, TfTensor];
  return { q, k, v, bias };
}

const attention: Full = (tf, inputs, { scale }) => [attentionOutput(tf, operandsOf(inputs, inputs[3]), Number(scale))];

const attentionGrad: Formula = (tf, [dO, q, k, v, o, , bias], { scale }) =>
  attentionGradients(
    tf,
    operandsOf([q, k, v] as TfTensor[], bias),
    { dO, o } as { dO: TfTensor; o: TfTensor },
    Number(scale),
  );

/** x and a zero that depends on the other value. A graph whose equal computations are merged then computes x again. */
const after: Full = (tf, [x, other]) => {
  const zero = tf.mul(tf.slice(tf.reshape(other, [-1]), 0, 1).asScalar(), 0);
  return [tf.add(x, zero)];
};

const rmsNorm: Full = (tf, [x, weight], { eps }) => {
  const r = layers.rmsFactor(tf, x, Number(eps));
  const y = tf.mul(x, r) as TfTensor;
  return [weight === undefined ? y : tf.mul(y, weight), r];
};

const rmsNormGrad: Full = (tf, [dy, x, r, weight]) => {
  const y = tf.mul(x, r) as TfTensor;
  if (weight === undefined) return [layers.rmsNormGradient(tf, dy, y, r)];
  return [layers.rmsNormGradient(tf, tf.mul(dy, weight), y, r), sumTo(tf, tf.mul(dy, y), weight.shape)];
};

const rotate: Full = (tf, [x, cos, sin], { pairs, inverse }) => [
  layers.rotate(tf, x, { cos, sin, pairs: pairs as layers.Pairs, isInverse: inverse === 1 }),
];

const adamw: Full = (tf, inputs, { count, beta1, beta2, epsilon }) => {
  const first = inputs.length - 4 * Number(count);
  const [scalars, lists] = [inputs.slice(0, first), inputs.slice(first)];
  return adamwOf(tf, { scalars, lists, beta1: Number(beta1), beta2: Number(beta2), epsilon: Number(epsilon) });
};

const full: Readonly<Record<string, Full>> = {
  Attention: attention,
  After: after,
  Widen: (_tf, [x]) => [x],
  Linear: (tf, [x, weight, bias]) => [layers.linear(tf, x, weight, bias ?? null)],
  LinearGradInput: (tf, [dy, weight]) => [layers.linearGradInput(tf, dy, weight)],
  LinearAdd: (tf, [x, weight, sum]) => [tf.add(layers.linear(tf, x, weight, null), sum)],
  LinearGradInputAdd: (tf, [dy, weight, sum]) => [tf.add(layers.linearGradInput(tf, dy, weight), sum)],
  LinearGradWeight: (tf, [dy, x]) => [layers.linearGradWeight(tf, dy, x)],
  RmsNorm: rmsNorm,
  RmsNormGrad: rmsNormGrad,
  Gelu: (tf, [x]) => [tf.mul(x, layers.geluSigmoid(tf, x))],
  GeluGrad: (tf, [dy, x]) => [layers.geluGradient(tf, dy, x, layers.geluSigmoid(tf, x))],
  Modulate: (tf, [x, scale, shift]) => [layers.modulate(tf, x, scale, shift)],
  ModulateGrad: (tf, [dy, x, scale]) => layers.modulateGradients(tf, dy, x, scale),
  Rotate: rotate,
  AdamW: adamw,
};

/** By operator. */
export const formulas: ReadonlyMap<string, Formula> = new Map([
  ...(Object.entries(full) as [string, Formula][]),
  ["AttentionGrad", attentionGrad],
]);
