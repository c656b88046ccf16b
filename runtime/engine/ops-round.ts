import type { StorageType } from "../contract.ts";
import type { Tf, TfTensor } from "../graph/record/tfjs-types.ts";

const integerRanges: Partial<Record<StorageType, readonly [number, number]>> = {
  bool: [0, 1],
  uint8: [0, 255],
  int8: [-128, 127],
  int16: [-32768, 32767],
};

/**
 * Rounds float32 values to the nearest ones that `storage` can hold, ties to even; has no gradient. int32 and int64 are rounded to
 * whole numbers without a limit.
 */
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
      const whole = roundToWhole(tf, x);
      return range === undefined ? whole : within(tf, whole, range);
    }
  }
}

/**
 * Drops the last `bits` of the 24 significant bits. With s = 2^bits, the float32 subtraction x - s x rounds to the grid of s x, ties to
 * even, and adding s x back is exact. (x + s x could cross a power of two, where the grid is too coarse.) Exact between 2^-126 and
 * 2^(127 - bits), above which s x overflows.
 */
function roundSignificand(tf: Tf, x: TfTensor, bits: number): TfTensor {
  const large = tf.mul(x, 2 ** bits);
  return tf.add(tf.sub(x, large), large);
}

/** 2^23, from which on every float32 number is whole. */
const FIRST_WHOLE = 2 ** 23;

/** Adding 2^23, with the number's sign, leaves no bits for a fraction; the addition rounds ties to even. tfjs's Round can not be recorded. */
function roundToWhole(tf: Tf, x: TfTensor): TfTensor {
  const large = withSign(tf, x, FIRST_WHOLE);
  const rounded = tf.sub(tf.add(x, large), large);
  return tf.where(tf.less(tf.abs(x), FIRST_WHOLE), rounded, x);
}

/** `size` with the signs of `x`. tfjs's Sign can not be recorded. */
function withSign(tf: Tf, x: TfTensor, size: number): TfTensor {
  return tf.where(tf.less(x, 0), tf.fill(x.shape, -size), tf.fill(x.shape, size));
}

/** `x`, not below the first and not above the second bound. tfjs's ClipByValue can not be recorded. */
function within(tf: Tf, x: TfTensor, [low, high]: readonly [number, number]): TfTensor {
  const raised = tf.where(tf.less(x, low), tf.fill(x.shape, low), x);
  return tf.where(tf.greater(raised, high), tf.fill(x.shape, high), raised);
}

/** float16 has 11 significant bits, a fixed grid of 2^-24 below 2^-14, and is infinite from 65520 on. */
function roundHalf(tf: Tf, x: TfTensor): TfTensor {
  const size = tf.abs(x);
  const fixedGrid = tf.sub(tf.add(x, 0.75), 0.75);
  const rounded = tf.where(tf.less(size, 2 ** -14), fixedGrid, roundSignificand(tf, x, 13));
  return tf.where(tf.greaterEqual(size, 65520), withSign(tf, x, Infinity), rounded);
}
