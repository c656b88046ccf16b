/**
 * Numbers in 8 bits, block by block, after Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization", arXiv:2110.02861: each
 * block of 256 is scaled by its largest magnitude. The codes here are logarithmic, so that the relative error is the same for small and
 * large numbers; a code is rounded at random, to the right number on average, since a running mean moves by less than a step at a time
 * and would otherwise stand still.
 */
export const BLOCK = 256;

/** How magnitudes relative to the largest are coded: code `top` is 1, code 1 is 2^-range, code 0 is exactly 0. */
interface Scheme {
  readonly isSigned: boolean;
  readonly top: number;
  readonly range: number;
  readonly values: Float64Array;
}

function scheme(isSigned: boolean, range: number): Scheme {
  const top = isSigned ? 127 : 255;
  const values = Float64Array.from({ length: top + 1 }, (_, code) =>
    code === 0 ? 0 : 2 ** ((-range * (top - code)) / (top - 1)),
  );
  return { isSigned, top, range, values };
}

/** Of means of gradients, steps of 9 %; of means of their squares, steps of 7 % over a range that squares need. */
export const signedCodes = scheme(true, 16);
export const unsignedCodes = scheme(false, 24);

/** `length` numbers; the highest bit of a signed code is the sign. */
export interface EightBit {
  readonly scheme: Scheme;
  readonly codes: Uint8Array;
  /** Of each block, the largest magnitude. */
  readonly scales: Float32Array;
}

export function zeros(scheme: Scheme, length: number): EightBit {
  return { scheme, codes: new Uint8Array(length), scales: new Float32Array(Math.ceil(length / BLOCK)) };
}

/** The numbers of a block, into `out`; how many there are. */
export function decodeBlock({ scheme, codes, scales }: EightBit, block: number, out: Float64Array): number {
  const first = block * BLOCK;
  const count = Math.min(BLOCK, codes.length - first);
  const scale = scales[block] ?? 0;
  for (let i = 0; i < count; i++) {
    const code = codes[first + i] as number;
    const magnitude = scale * (scheme.values[scheme.isSigned ? code & 127 : code] as number);
    out[i] = scheme.isSigned && code > 127 ? -magnitude : magnitude;
  }
  return count;
}

/** Takes over the numbers of a block; `random` gives numbers in [0, 1), by which codes are rounded up or down. */
export function encodeBlock(
  { scheme, codes, scales }: EightBit,
  block: number,
  numbers: Float64Array,
  random: () => number,
): void {
  const first = block * BLOCK;
  const count = Math.min(BLOCK, codes.length - first);
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(numbers[i] as number));
  scales[block] = largest;
  for (let i = 0; i < count; i++) {
    const number = numbers[i] as number;
    // The largest gets the top code, so that numbers once decoded are encoded as they were.
    const code = largest === 0 ? 0 : codeOf(scheme, Math.abs(number) / largest, random());
    codes[first + i] = number < 0 && scheme.isSigned && code > 0 ? code + 128 : code;
  }
}

/** A mean of squares is never rounded to 0: the update divides by its root. */
function codeOf({ isSigned, top, range, values }: Scheme, magnitude: number, random: number): number {
  if (magnitude === 0) return 0;
  const lower = Math.floor(top + (Math.log2(magnitude) * (top - 1)) / range);
  if (lower >= top) return top;
  if (lower < 1) return !isSigned || random < magnitude / (values[1] as number) ? 1 : 0;
  const [low, high] = [values[lower] as number, values[lower + 1] as number];
  return random < (magnitude - low) / (high - low) ? lower + 1 : lower;
}
