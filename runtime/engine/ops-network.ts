import { attention } from "./attention.ts";
import { withGradient } from "./autodiff.ts";
import { convolutionByProducts, convolve } from "./convolution.ts";
import {
  geluGradient,
  geluSigmoid,
  linear,
  modulate,
  rmsFactor,
  rmsNormGradient,
  rotate,
  type Pairs,
} from "./formulas/layers.ts";
import type { Tf, TfOps, TfTensor } from "../graph/record/tfjs-types.ts";

type Network = Pick<
  TfOps,
  | "matMul"
  | "linear"
  | "softmax"
  | "gelu"
  | "silu"
  | "rmsNorm"
  | "layerNorm"
  | "attention"
  | "widen"
  | "modulate"
  | "rotate"
  | "convolve"
>;

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
    widen: (x) => tf.clone(x),
    modulate: (x, scale, shift) => modulate(tf, x, scale, shift),
    rotate: (x, cos, sin, pairs) => rotateOf(tf, x, cos, sin, pairs),
    convolve: (x, weight, bias, zeros) => convolve(tf, convolutionByProducts(tf), [x, weight], bias, zeros),
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

function gelu(tf: Tf, x: TfTensor): TfTensor {
  return withGradient(
    tf,
    [x],
    (save) => {
      const s = geluSigmoid(tf, x);
      save([x, s]);
      return tf.mul(x, s);
    },
    (dy, saved) => {
      const [x, s] = saved as [TfTensor, TfTensor];
      return [geluGradient(tf, dy, x, s)];
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

function rmsNorm(tf: Tf, x: TfTensor, eps: number): TfTensor {
  return withGradient(
    tf,
    [x],
    (save) => {
      const r = rmsFactor(tf, x, eps);
      const y = tf.mul(x, r) as TfTensor;
      save([y, r]);
      return y;
    },
    (dy, saved) => {
      const [y, r] = saved as [TfTensor, TfTensor];
      return [rmsNormGradient(tf, dy, y, r)];
    },
  );
}

/** The tables are data of the positions: they get no gradient. */
function rotateOf(tf: Tf, x: TfTensor, cos: TfTensor, sin: TfTensor, pairs: Pairs): TfTensor {
  return withGradient(
    tf,
    [x],
    (save) => {
      save([cos, sin]);
      return rotate(tf, x, { cos, sin, pairs, isInverse: false });
    },
    (dy, saved) => {
      const [cos, sin] = saved as [TfTensor, TfTensor];
      return [rotate(tf, dy, { cos, sin, pairs, isInverse: true })];
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
