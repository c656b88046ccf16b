import type { StorageType } from "../contract.ts";
import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";

const integerRanges: Partial<Record<StorageType, readonly [number, number]>> = {
  bool: [0, 1],
  uint8: [0, 255],
  int8: [-128, 127],
  int16: [-32768, 32767],
};

/** Rounds float32 values to what `storage` can hold, ties to even; no gradient. float64, int32 and int64 hold more than needed. */
export function roundTo(tf: Tf, x: TfTensor, storage: StorageType): TfTensor {
  switch (storage) {
    case "float64":
    case "float32":
      return tf.clone(x);
    case "bfloat16":
      return roundSignificand(tf, x, 16);
    case "float16":
      return roundHalf(tf, x);
    default: {
      const range = integerRanges[storage];
      const whole = tf.round(x);
      return range === undefined ? whole : tf.clipByValue(whole, ...range);
    }
  }
}

/**
 * Drops the last `bits` of the 24 significant bits: with s = 2^bits, x - s x is rounded by the float32 subtraction itself to the
 * grid of s x, ties to even, and adding s x back is exact. (x + s x would cross a power of two and use too coarse a grid.)
 * Exact between 2^-126 and 2^(127 - bits), beyond which s x overflows.
 */
function roundSignificand(tf: Tf, x: TfTensor, bits: number): TfTensor {
  const large = tf.mul(x, 2 ** bits);
  return tf.add(tf.sub(x, large), large);
}

/** float16: 11 significant bits, below 2^-14 a fixed grid of 2^-24, infinite from 65520 on. */
function roundHalf(tf: Tf, x: TfTensor): TfTensor {
  const size = tf.abs(x);
  const fixedGrid = tf.sub(tf.add(x, 0.75), 0.75);
  const rounded = tf.where(tf.less(size, 2 ** -14), fixedGrid, roundSignificand(tf, x, 13));
  const infinite = tf.mul(tf.sign(x), tf.fill(x.shape, Infinity));
  return tf.where(tf.greaterEqual(size, 65520), infinite, rounded);
}
