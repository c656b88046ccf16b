import type { StorageType } from "../contract.ts";
import type { SafetensorsDType } from "../files/safetensors/index.ts";

/** Types of floating-point numbers, by the bits of their exponents, which are all set in NaN and infinity. */
type FloatType = "float16" | "bfloat16" | "float32" | "float64";

const floatTypes: Readonly<Partial<Record<SafetensorsDType | StorageType, FloatType>>> = {
  F16: "float16",
  BF16: "bfloat16",
  F32: "float32",
  F64: "float64",
  float16: "float16",
  bfloat16: "bfloat16",
  float32: "float32",
  float64: "float64",
};

/** How many of the numbers in little-endian bytes are NaN or infinite. */
export function countNotFinite(type: SafetensorsDType | StorageType, bytes: Uint8Array): number {
  const float = floatTypes[type];
  if (float === undefined) return 0;
  // A typed array needs an aligned start.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
  if (float === "float64") return countDoubles(new Float64Array(buffer, byteOffset, byteLength >> 3));
  const [words, exponent] =
    float === "float32"
      ? [new Uint32Array(buffer, byteOffset, byteLength >> 2), 0x7f800000]
      : [new Uint16Array(buffer, byteOffset, byteLength >> 1), float === "float16" ? 0x7c00 : 0x7f80];
  let count = 0;
  for (let i = 0; i < words.length; i++) if (((words[i] as number) & exponent) === exponent) count++;
  return count;
}

function countDoubles(values: Float64Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) count++;
  return count;
}
