/** Layers and their gradients in tfjs's operations, forward and backward apart. */
import { sumTo } from "../autodiff.ts";
import type { Tf, TfTensor } from "../../graph/record/tfjs-types.ts";

/** x Wᵀ + b for x `[..., in]` and W `[out, in]`. */
export function linear(tf: Tf, x: TfTensor, weight: TfTensor, bias: TfTensor | null): TfTensor {
  const [outputs = 0] = weight.shape;
  const flat = tf.matMul(inRows(tf, x), weight, false, true);
  return tf.reshape(bias === null ? flat : tf.add(flat, bias), [...x.shape.slice(0, -1), outputs]);
}

/** The gradient of x, `[..., in]`. */
export function linearGradInput(tf: Tf, dy: TfTensor, weight: TfTensor): TfTensor {
  const [, inputs = 0] = weight.shape;
  return tf.reshape(tf.matMul(inRows(tf, dy), weight), [...dy.shape.slice(0, -1), inputs]);
}

/** The gradient of W, `[out, in]`. */
export function linearGradWeight(tf: Tf, dy: TfTensor, x: TfTensor): TfTensor {
  return tf.matMul(inRows(tf, dy), inRows(tf, x), true);
}

/** All axes but the last one as one. */
export function inRows(tf: Tf, x: TfTensor): TfTensor {
  const width = x.shape.at(-1) ?? 1;
  return tf.reshape(x, [x.size / width, width]);
}

// The tanh form of GELU, written as x sigmoid(c (x + k x^3)) with c = 2 sqrt(2 / π); equal, since 1 + tanh(z) = 2 sigmoid(2z).
const [c, k] = [2 * Math.sqrt(2 / Math.PI), 0.044715];

/** The sigmoid in GELU, which its gradient needs again: gelu(x) = x s. */
export function geluSigmoid(tf: Tf, x: TfTensor): TfTensor {
  return tf.sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), c * k), c)));
}

export function geluGradient(tf: Tf, dy: TfTensor, x: TfTensor, s: TfTensor): TfTensor {
  const slope = tf.mul(x, tf.add(tf.mul(tf.square(x), 3 * c * k), c));
  return tf.mul(tf.mul(dy, s), tf.add(tf.mul(slope, tf.sub(1, s)), 1));
}

/** What a row is multiplied by: 1 / sqrt(mean(x²) + eps), `[..., 1]`. */
export function rmsFactor(tf: Tf, x: TfTensor, eps: number): TfTensor {
  return tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), eps));
}

/** With y = x r: dx = r (dy - y mean(dy y)). */
export function rmsNormGradient(tf: Tf, dy: TfTensor, y: TfTensor, r: TfTensor): TfTensor {
  return tf.mul(r, tf.sub(dy, tf.mul(y, tf.mean(tf.mul(dy, y), -1, true))));
}

/** x (1 + scale) + shift. */
export function modulate(tf: Tf, x: TfTensor, scale: TfTensor, shift: TfTensor): TfTensor {
  return tf.add(tf.mul(x, tf.add(scale, 1)), shift);
}

/** The gradients of x, scale and shift. */
export function modulateGradients(tf: Tf, dy: TfTensor, x: TfTensor, scale: TfTensor): TfTensor[] {
  const dShift = sumTo(tf, dy, scale.shape);
  return [tf.mul(dy, tf.add(scale, 1)), sumTo(tf, tf.mul(dy, x), scale.shape), dShift];
}

/** How a rotary embedding pairs channels: those of a head's halves, or neighbours. */
export type Pairs = "halves" | "neighbours";

interface Rotation {
  readonly cos: TfTensor;
  readonly sin: TfTensor;
  readonly pairs: Pairs;
  /** Turns back, which is also the gradient. */
  readonly isInverse: boolean;
}

/** Turns pairs of channels: (a, b) to (a cos - b sin, b cos + a sin). See `Ops.rotate` for shapes. */
export function rotate(tf: Tf, x: TfTensor, rotation: Rotation): TfTensor {
  return rotation.pairs === "halves" ? rotateHalves(tf, x, rotation) : rotateNeighbours(tf, x, rotation);
}

/** The i-th entry of a head's first half pairs with the i-th of its second half. */
function rotateHalves(tf: Tf, x: TfTensor, { cos, sin, isInverse }: Rotation): TfTensor {
  const [batch = 0, heads = 0, tokens = 0, width = 0] = x.shape;
  const size = [batch, heads, tokens, width / 2];
  const [a, b] = [tf.slice(x, [0, 0, 0, 0], size), tf.slice(x, [0, 0, 0, width / 2], size)];
  const [minus, plus] = isInverse ? [tf.add, tf.sub] : [tf.sub, tf.add];
  const first = minus(tf.mul(a, cos), tf.mul(b, sin)) as TfTensor;
  const second = plus(tf.mul(b, cos), tf.mul(a, sin)) as TfTensor;
  return tf.concat([first, second], 3);
}

/** Entries 2i and 2i + 1 form a pair, over the full width; the tables have each value twice. */
function rotateNeighbours(tf: Tf, x: TfTensor, { cos, sin, isInverse }: Rotation): TfTensor {
  const [batch = 0, tokens = 0, width = 0] = x.shape;
  const pairs = tf.reshape(x, [batch, tokens, width / 2, 2]);
  const size = [batch, tokens, width / 2, 1];
  const [even, odd] = [tf.slice(pairs, [0, 0, 0, 0], size), tf.slice(pairs, [0, 0, 0, 1], size)];
  const turned = tf.reshape(tf.concat([tf.neg(odd), even] as TfTensor[], 3), x.shape);
  const [kept, crossed] = [tf.mul(x, cos), tf.mul(turned, sin)];
  return isInverse ? tf.sub(kept, crossed) : tf.add(kept, crossed);
}
