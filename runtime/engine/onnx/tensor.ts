import type { DType, Shape, Tensor } from "../../contract.ts";
import type { StoredTensor } from "../../graph/stored-tensor.ts";
import { byteSize } from "../../graph/graph.ts";

/** A value on the thread that computes, known here by its number. */
export class DeviceTensor implements Tensor {
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Where the numbers are if not on the thread: such a tensor is part of the graphs that use it. */
  readonly stored: StoredTensor | null;

  constructor(id: number, shape: Shape, dtype: DType, stored: StoredTensor | null = null) {
    this.id = id;
    this.shape = shape;
    this.dtype = dtype;
    this.stored = stored;
  }
}

/** Bytes on the thread. */
export function bytesOf({ shape, dtype, stored }: DeviceTensor): number {
  return stored !== null ? 0 : byteSize({ shape, dtype });
}

/** The same arrays and plain objects with each tensor in them replaced, in a fixed order; all else stays. */
export function mapTensors(x: unknown, isTensor: (x: object) => boolean, f: (x: Tensor) => unknown): unknown {
  if (typeof x !== "object" || x === null) return x;
  if (isTensor(x)) return f(x as Tensor);
  if (Array.isArray(x)) return x.map((item) => mapTensors(item, isTensor, f));
  const prototype: unknown = Object.getPrototypeOf(x);
  if (prototype !== Object.prototype && prototype !== null) return x;
  return Object.fromEntries(Object.entries(x).map(([key, item]) => [key, mapTensors(item, isTensor, f)]));
}
