import type { Shape } from "../contract.ts";

/** Numbers in a file, row-major and little-endian. */
export interface StoredTensor {
  /** Absolute. */
  readonly path: string;
  readonly shape: Shape;
  readonly dtype: "float32" | "bfloat16" | "float16" | "int8" | "float8_e4m3fn";
  /** In bytes. */
  readonly offset: number;
  readonly length: number;
  /** The block of the model that it belongs to, whose weights can be brought to the device when they are needed; absent outside of blocks. */
  readonly block?: string;
  /** Where in the same file the scales of numbers of 8 bits lie, float32, one for each row. */
  readonly scale?: { readonly offset: number; readonly length: number };
  /** In 4 bits, how many numbers of a row share a scale, which is bfloat16 then: the file holds half a row of bytes (`../model/quantize.ts`). */
  readonly group?: number;
  /** One scale for all numbers, in place of a list of them. */
  readonly factor?: number;
}
