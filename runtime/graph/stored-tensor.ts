import type { Shape } from "../contract.ts";

/** Numbers in a file, row-major and little-endian. */
export interface StoredTensor {
  /** Absolute. */
  readonly path: string;
  readonly shape: Shape;
  readonly dtype: "float32" | "bfloat16" | "float16";
  /** In bytes. */
  readonly offset: number;
  readonly length: number;
}
