import type { HostTensor } from "../../contract.ts";
import type { ElementType, Initializer } from "../../graph/graph.ts";

/** Bytes of the largest constant whose numbers are looked at when a graph is planned: axes, shapes, and single numbers. */
const MOST_BYTES = 256;

/** How the bytes of a type become numbers. */
const readers: Partial<Record<ElementType, (buffer: ArrayBuffer) => ArrayLike<number | bigint>>> = {
  float32: (buffer) => new Float32Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
  bool: (buffer) => new Uint8Array(buffer),
  // The upper half of a float32.
  bfloat16: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
};

/** The numbers of a small constant; null for a large one, one in a file, or one of another type. */
export function smallNumbers({ bytes, dtype }: Initializer): readonly number[] | null {
  const read = readers[dtype];
  if (!(bytes instanceof Uint8Array) || bytes.length > MOST_BYTES || read === undefined) return null;
  return Array.from(read(bytes.slice().buffer), Number);
}

/** Bytes as the host's numbers. Errors: throws for a type that the host does not have. */
export function hostData(bytes: Uint8Array<ArrayBuffer>, dtype: ElementType): HostTensor["data"] {
  if (dtype === "float32") return new Float32Array(bytes.buffer);
  if (dtype === "int32") return new Int32Array(bytes.buffer);
  if (dtype === "bool") return bytes;
  throw new Error(`a value of the type ${dtype} is read`);
}
