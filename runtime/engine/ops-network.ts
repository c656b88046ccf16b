import { attention } from "./attention.ts";
import { withGradient } from "./autodiff.ts";
import type { Tf, TfOps, TfTensor } from "../graph/record/tfjs-types.ts";

type Network = Pick<TfOps, "matMul" | "linear" | "softmax" | "gelu" | "silu" | "rmsNorm" | "layerNorm" | "attention">;

/** Layers. Those with a gradient of our own keep fewer tensors for the backward pass than autodiff would. */
export function networkOps(tf: Tf): Network {
  return {
    matMul: (a, b, transposeA, transposeB) => matMul(tf, a, b, transposeA, transposeB),
    linear: (x, weight, bias) => linear(tf, x, weight, bias),
    softmax: (x) => tf.softmax(x),
    gelu: (x) => gelu(tf, x),
    silu: (x) => silu(tf, x),
    rmsNorm: (x, eps, weight) => {
      const y = rmsNorm(tf, x, eps);
      return weight === undefined ? y : tf.mul(y, weight);
    },
    layerNorm: (x, eps) => layerNorm(tf, x, eps),
    attention: (q, k, v, bias) => attention(tf, { q, k, v, bias }),
  };
}

/** tfjs's gradient does not handle broadcast leading axes, so a `b` without them is multiplied with all rows of `a` at once. */
function matMul(tf: Tf, a: TfTensor, b: TfTensor, transposeA = false, transposeB = false): TfTensor {
  if (a.rank === b.rank) return tf.matMul(a, b, transposeA, transposeB);
  if (b.rank !== 2)
    throw new Error(`matMul of ranks ${a.rank} and ${b.rank}: leading axes must be equal or absent in b`);
  const last = a.rank - 1;
  const upright = transposeA ? tf.transpose(a, [...a.shape.keys()].slice(0, -2).concat(last, last - 1)) : a;
  const rows = upright.shape.slice(0, -1);
  const product = tf.matMul(tf.reshape(upright, [-1, upright.shape[last] ?? 0]), b, false, transposeB);
  return tf.reshape(product, [...rows, product.shape[1] ?? 0]);
}

function linear(tf: Tf, x: TfTensor, weight: TfTensor, bias: TfTensor | null): TfTensor {
  const [outputs = 0, inputs = 0] = weight.shape;
  const rows = x.shape.slice(0, -1);
  const flat = tf.matMul(tf.reshape(x, [x.size / inputs, inputs]), weight, false, true);
  return tf.reshape(bias === null ? flat : tf.add(flat, bias), [...rows, outputs]);
}

/** The tanh form, written as x sigmoid(c (x + k x^3)) with c = 2 sqrt(2 / π); equal, since 1 + tanh(z) = 2 sigmoid(2z). */
function gelu(tf: Tf, x: TfTensor): TfTensor {
  const [c, k] = [2 * Math.sqrt(2 / Math.PI), 0.044715];
  return withGradient(
    tf,
    [x],
    (save) => {
      const s = tf.sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), c * k), c)));
      save([x, s]);
      return tf.mul(x, s);
    },
    (dy, saved) => {
      const [x, s] = saved as [TfTensor, TfTensor];
      const slope = tf.mul(x, tf.add(tf.mul(tf.square(x), 3 * c * k), c));
      return [tf.mul(tf.mul(dy, s), tf.add(tf.mul(slope, tf.sub(1, s)), 1))];
    },
  );
}

function silu(tf: Tf, x: TfTensor): TfTensor {
  return withGradient(
    tf,
    [x],
    (save) => {
      const s = tf.sigmoid(x);
      save([x, s]);
      return tf.mul(x, s);
    },
    (dy, saved) => {
      const [x, s] = saved as [TfTensor, TfTensor];
      return [tf.mul(tf.mul(dy, s), tf.add(tf.mul(x, tf.sub(1, s)), 1))];
    },
  );
}

/** With y = x r: dx = r (dy - y mean(dy y)). */
function rmsNorm(tf: Tf, x: TfTensor, eps: number): TfTensor {
  return withGradient(
    tf,
    [x],
    (save) => {
      const r = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), eps));
      const y = tf.mul(x, r) as TfTensor;
      save([y, r]);
      return y;
    },
    (dy, saved) => {
      const [y, r] = saved as [TfTensor, TfTensor];
      return [tf.mul(r, tf.sub(dy, tf.mul(y, tf.mean(tf.mul(dy, y), -1, true))))];
    },
  );
}

/** With y = (x - mean) r: dx = r (dy - mean(dy) - y mean(dy y)). */
function layerNorm(tf: Tf, x: TfTensor, eps: number): TfTensor {
  return withGradient(
    tf,
    [x],
    (save) => {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const r = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), eps));
      const y = tf.mul(centred, r) as TfTensor;
      save([y, r]);
      return y;
    },
    (dy, saved) => {
      const [y, r] = saved as [TfTensor, TfTensor];
      const common = tf.add(tf.mean(dy, -1, true), tf.mul(y, tf.mean(tf.mul(dy, y), -1, true)));
      return [tf.mul(r, tf.sub(dy, common))];
    },
  );
}
