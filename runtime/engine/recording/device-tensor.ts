import type { DType, Shape, Tensor } from "../../contract.ts";
import type { StoredTensor } from "../../graph/stored-tensor.ts";

/** Where a tensor stands in the log that has used it last, which is known by its number: quicker to find than in a map. */
class LoggedTensor {
  log = 0;
  place = 0;
}

/** The result of a call, which has no value yet. */
export class ShapedTensor extends LoggedTensor implements Tensor {
  readonly shape: Shape;
  readonly dtype: DType;

  constructor({ shape, dtype }: Pick<Tensor, "shape" | "dtype">) {
    super();
    this.shape = shape;
    this.dtype = dtype;
  }
}

/** A tensor whose value is on the device, under an id, or in a file. */
export class DeviceTensor extends LoggedTensor implements Tensor {
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Where in a file the numbers are; null if they are on the device. Graphs read such a tensor as a constant, so it has no id. */
  readonly stored: StoredTensor | null;

  constructor(id: number, shape: Shape, dtype: DType, stored: StoredTensor | null = null) {
    super();
    this.id = id;
    this.shape = shape;
    this.dtype = dtype;
    this.stored = stored;
  }
}

/** Copies arrays and plain objects, with each tensor in them replaced, in a fixed order. Everything else is returned as it is. */
export function mapTensors(x: unknown, isTensor: (x: object) => boolean, f: (x: Tensor) => unknown): unknown {
  if (typeof x !== "object" || x === null) return x;
  if (isTensor(x)) return f(x as Tensor);
  if (Array.isArray(x)) return x.map((item) => mapTensors(item, isTensor, f));
  const prototype: unknown = Object.getPrototypeOf(x);
  if (prototype !== Object.prototype && prototype !== null) return x;
  return Object.fromEntries(Object.entries(x).map(([key, item]) => [key, mapTensors(item, isTensor, f)]));
}
