/**
 * Frozen weights in 8 bits: each row of a linear layer (one output channel) is divided by a scale and rounded to the nearest number, ties to
 * even. The scale is symmetric: the row's largest absolute value / the largest number of the type. Numbers are computed in float32. Such are
 * optimum-quanto's `qint8` and `qfloat8` for weights, whose scales have the weights' own type; here they are float32.
 */

/** By setting of the run config. */
export const quantizations = {
  "int8-quanto": { dtype: "int8", stored: "I8", largest: 127 },
  "fp8-quanto": { dtype: "float8_e4m3fn", stored: "F8_E4M3", largest: 448 },
} as const;

export type Quantization = keyof typeof quantizations;

export const isQuantization = (x: string | null): x is Quantization => x !== null && Object.hasOwn(quantizations, x);

interface QuantizedRows {
  /** One byte for each number, row-major. */
  readonly data: Uint8Array;
  /** One for each row. */
  readonly scales: Float32Array;
}

/** @param values `[rows, width]`, row-major */
export function quantizeRows(values: Float32Array, rows: number, to: Quantization): QuantizedRows {
  const { dtype, largest } = quantizations[to];
  const encode = dtype === "int8" ? int8 : float8;
  const width = values.length / rows;
  const data = new Uint8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const [from, end] = [row * width, (row + 1) * width];
    let most = 0;
    for (let i = from; i < end; i++) most = Math.max(most, Math.abs(values[i] as number));
    // A row of zeros stays one with any scale.
    const scale = most === 0 ? 1 : Math.fround(most / largest);
    scales[row] = scale;
    for (let i = from; i < end; i++) data[i] = encode(Math.fround((values[i] as number) / scale));
  }
  return { data, scales };
}

/** Adding and subtracting it rounds a float32 below 2^22 to a whole number, ties to even. */
const ROUNDER = 1.5 * 2 ** 23;

function int8(x: number): number {
  const rounded = Math.fround(x + ROUNDER) - ROUNDER;
  return Math.max(-127, Math.min(127, rounded)) & 0xff;
}

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** E4M3 without infinities (Micikevicius et al. 2022, "FP8 formats for deep learning", arXiv:2209.05433): 4 bits of exponent with bias 7, 3 of fraction. */
function float8(x: number): number {
  word[0] = Math.min(Math.abs(x), 448);
  const sign = x < 0 || Object.is(x, -0) ? 0x80 : 0;
  const size = word[0];
  // Below 2^-6 numbers are multiples of 2^-9.
  if (size < 2 ** -6) return sign | (Math.fround(size * 512 + ROUNDER) - ROUNDER);
  const own = bits[0] as number;
  // Of the 23 bits of fraction 3 stay; a carry goes into the exponent, whose bias is 127 - 7 larger.
  const rounded = (own + 0x7ffff + ((own >>> 20) & 1)) >>> 20;
  return sign | (rounded - ((127 - 7) << 3));
}
