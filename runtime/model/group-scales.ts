/**
 * Scales of weights in 4 bits, whole numbers from -8 to 7: one for each group of up to 128 numbers of a row, in bfloat16. The scale that
 * maps the group's number of the largest size to -8 uses all 16 values, but puts them far apart; a smaller one clips a few numbers and
 * rounds all others less. Of eight, that one is taken whose rounded numbers have the least squared error: for normally distributed weights
 * 9.7 % of their size, where the largest size / 7 has 11.7 %.
 */
import { bfloat16ToFloat32, float32ToBfloat16 } from "../files/number-formats.ts";
import { roundHalfEven } from "./round-half-even.ts";

export const [LEAST, LARGEST] = [-8, 7];

/** A scale for fewer numbers would take too much of what 4 bits save. */
const LEAST_GROUP = 16;

/** How many numbers of a row of this width share a scale: the largest power of two up to 128 that divides it. 0 where that is too few. */
export function groupOf(width: number): number {
  let group = 128;
  while (width % group !== 0) group /= 2;
  return group < LEAST_GROUP ? 0 : group;
}

/** Parts of the scale that clips nothing on its side; the first of equally good ones is taken. */
const PARTS = [1, 0.96, 0.92, 0.88, 0.84, 0.8, 0.76, 0.72] as const;

/** The scale of each `length` numbers, which may be negative. Where all are zero, they stay so with any scale. */
export function groupScales(values: Float32Array, length: number): Float32Array {
  const scales = new Float32Array(values.length / length);
  for (let group = 0; group < scales.length; group++) scales[group] = bestScale(values, group * length, length);
  return scales;
}

function bestScale(values: Float32Array, start: number, length: number): number {
  const extreme = extremeOf(values, start, length);
  if (extreme === 0) return 1;
  const scales = bfloat16ToFloat32(float32ToBfloat16(Float32Array.from(PARTS, (part) => (extreme * part) / LEAST)));
  let [best, least] = [scales[0] as number, Infinity];
  for (const scale of scales) {
    const error = squaredError(values, start, length, scale);
    if (error < least) [best, least] = [scale, error];
  }
  return best;
}

/** The first number of the largest size. */
function extremeOf(values: Float32Array, start: number, length: number): number {
  let extreme = 0;
  for (let i = start; i < start + length; i++)
    if (Math.abs(values[i] as number) > Math.abs(extreme)) extreme = values[i] as number;
  return extreme;
}

/** Most of the time that quantization takes is spent here. A product that is rounded otherwise than the quotient changes it by next to nothing. */
function squaredError(values: Float32Array, start: number, length: number, scale: number): number {
  const inverse = 1 / scale;
  let sum = 0;
  for (let i = start; i < start + length; i++) {
    const x = values[i] as number;
    const error = x - wholeNumber(x * inverse, LEAST, LARGEST) * scale;
    sum += error * error;
  }
  return sum;
}

/** The nearest one in a range, ties to even. */
export function wholeNumber(x: number, least: number, largest: number): number {
  const whole = roundHalfEven(x);
  return whole < least ? least : whole > largest ? largest : whole;
}
