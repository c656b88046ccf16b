/** Conversions between float32 and the storage formats of checkpoints and data files. Table-based: a few nanoseconds per number. */

/** Numbers that are widened at a time, few enough to stay in the processor's cache. */
const CHUNK = 16384;

/**
 * Widens bf16 bits: the upper half of a little-endian float32. Exact. Typed arrays widen whole numbers and move bytes several times as
 * fast as a loop does: the bits come to lie in the lower halves and are moved up by two bytes.
 */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const bytes = Buffer.allocUnsafeSlow(4 * bits.length);
  const words = new Uint32Array(bytes.buffer);
  for (let start = 0; start < bits.length; start += CHUNK) {
    const end = Math.min(start + CHUNK, bits.length);
    words.set(bits.subarray(start, end), start);
    bytes.copyWithin(4 * start + 2, 4 * start, 4 * end - 2);
    bytes.writeUInt16LE(0, 4 * start);
  }
  return new Float32Array(bytes.buffer);
}

/** Rounds to bf16 bits, to nearest, ties to even; NaN stays NaN. */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    out[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return out;
}

/** Every float16, widened; index = bits. Made at first use. */
let halves: Float32Array | null = null;

function halfTable(): Float32Array {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const magnitude =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent < 31
          ? (1 + fraction / 1024) * 2 ** (exponent - 15)
          : fraction
            ? NaN
            : Infinity;
    table[bits] = bits & 0x8000 ? -magnitude : magnitude;
  }
  return table;
}

/** Widens float16 bits. Exact. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  halves ??= halfTable();
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = halves[bits[i] as number] as number;
  return out;
}

/** Rounds to float16 bits, to nearest, ties to even, subnormals and overflow to infinity included; NaN stays NaN. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, halfBits);
}

function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // Below 2^-14 the spacing no longer shrinks. An exponent one too low through rounding of log2 is impossible for float32 values.
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude || 2 ** -14)));
  const units = roundHalfEven(magnitude / 2 ** (exponent - 10));
  return sign | (exponent === -14 && units < 1024 ? units : ((exponent + 14) << 10) + units);
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/**
 * The 256 numbers of E4M3 without infinities, by their codes (Micikevicius et al. 2022, "FP8 formats for deep learning", arXiv:2209.05433): 4
 * bits of exponent with bias 7, 3 of fraction; all ones is not a number.
 */
export const float8Values: Float32Array = Float32Array.from({ length: 256 }, (_, code) => {
  const [sign, exponent, fraction] = [code >> 7 === 1 ? -1 : 1, (code >> 3) & 15, code & 7];
  if (exponent === 15 && fraction === 7) return NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** (exponent - 10));
});
