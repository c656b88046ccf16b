/**
 * Frozen weights in 8 bits: each row of a linear layer (one output channel) is divided by a scale and rounded to the nearest number, ties to
 * even. The scale is symmetric: the row's largest absolute value / the largest number of the type. Numbers are computed in float32. Such are
 * optimum-quanto's `qint8` and `qfloat8` for weights, whose scales have the weights' own type; here they are float32.
 *
 * In 4 bits, which is ours, groups of a row have scales of their own (`group-scales.ts`). Two numbers share a byte: of a row of n, byte i
 * holds number i + 8 in its lower half and number i + n / 2, in two's complement, in its upper half.
 */
import { groupOf, groupScales, LARGEST, LEAST, wholeNumber } from "./group-scales.ts";
import { roundHalfEven } from "./round-half-even.ts";

/** By setting of the run config. A version is raised when the same model gives other bytes. */
export const quantizations = {
  "int8-quanto": { version: 1, dtype: "int8", stored: "I8", least: -127, largest: 127, isGrouped: false },
  "fp8-quanto": { version: 1, dtype: "float8_e4m3fn", stored: "F8_E4M3", least: -448, largest: 448, isGrouped: false },
  "int4-quanto": { version: 2, dtype: "int8", stored: "I8", least: LEAST, largest: LARGEST, isGrouped: true },
} as const;

export type Quantization = keyof typeof quantizations;

export const isQuantization = (x: string | null): x is Quantization => x !== null && Object.hasOwn(quantizations, x);

interface QuantizedRows {
  /** One byte for each number, or for two, row-major. */
  readonly data: Uint8Array;
  /** One for each row, or group of a row. */
  readonly scales: Float32Array;
}

/** @param values `[rows, width]`, row-major; in 4 bits rows of a width that has groups */
export function quantizeRows(values: Float32Array, rows: number, to: Quantization): QuantizedRows {
  const { dtype, least, largest, isGrouped } = quantizations[to];
  const width = values.length / rows;
  const length = isGrouped ? groupOf(width) : width;
  const encode = dtype === "int8" ? (x: number) => wholeNumber(x, least, largest) & 0xff : float8;
  const scales = isGrouped ? groupScales(values, length) : rowScales(values, length, largest);
  const data = new Uint8Array(values.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = encode(Math.fround((values[i] as number) / (scales[Math.floor(i / length)] as number)));
  }
  return { data: isGrouped ? packed(data, width) : data, scales };
}

/** The scale of each row. Where all numbers are zero, they stay so with any scale. */
function rowScales(values: Float32Array, width: number, largest: number): Float32Array {
  const scales = new Float32Array(values.length / width);
  for (let row = 0; row < scales.length; row++) {
    let most = 0;
    for (let i = row * width; i < (row + 1) * width; i++) most = Math.max(most, Math.abs(values[i] as number));
    scales[row] = most === 0 ? 1 : most / largest;
  }
  return scales;
}

/** Two numbers of 4 bits a byte. */
function packed(numbers: Uint8Array, width: number): Uint8Array {
  const half = width / 2;
  const bytes = new Uint8Array(numbers.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const at = Math.floor(i / half) * width + (i % half);
    bytes[i] = (((numbers[at] as number) + 8) & 15) | (((numbers[at + half] as number) & 15) << 4);
  }
  return bytes;
}

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** E4M3 without infinities (Micikevicius et al. 2022, "FP8 formats for deep learning", arXiv:2209.05433): 4 bits of exponent with bias 7, 3 of fraction. */
function float8(x: number): number {
  word[0] = Math.min(Math.abs(x), 448);
  const sign = x < 0 || Object.is(x, -0) ? 0x80 : 0;
  const size = word[0];
  // Below 2^-6 numbers are multiples of 2^-9.
  if (size < 2 ** -6) return sign | roundHalfEven(size * 512);
  const own = bits[0] as number;
  // Of the 23 bits of fraction 3 stay; a carry goes into the exponent, whose bias is 127 - 7 larger.
  const rounded = (own + 0x7ffff + ((own >>> 20) & 1)) >>> 20;
  return sign | (rounded - ((127 - 7) << 3));
}
