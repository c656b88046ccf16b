import type { StorageType } from "../../contract.ts";
import { fail, DATA_ROOT } from "../../findings.ts";

/** A run of numbers that tensors look into, little-endian as in the file. */
export interface PtStorage {
  readonly key: string;
  readonly type: StorageType;
  /** Elements. */
  readonly length: number;
  /** Filled when the whole file has been understood. */
  bytes: Uint8Array;
}

/** A view into a storage; `stride` and `offset` count elements. Tensors of one file may share a storage. */
export class PtTensor {
  readonly data: PtStorage;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
  readonly requiresGrad: boolean;

  constructor(
    data: PtStorage,
    shape: readonly number[],
    stride: readonly number[],
    offset: number,
    requiresGrad: boolean,
  ) {
    this.data = data;
    this.shape = shape;
    this.stride = stride;
    this.offset = offset;
    this.requiresGrad = requiresGrad;
  }

  get storage(): StorageType {
    return this.data.type;
  }
}

/** What a file may hold. Dictionaries are maps, tuples and lists arrays; whole numbers beyond 2^53 are bigint. */
export type PtValue =
  null | boolean | number | bigint | string | PtTensor | readonly PtValue[] | ReadonlyMap<PtValue, PtValue>;

export function isTensor(value: PtValue): value is PtTensor {
  return value instanceof PtTensor;
}

export const storageBytes: Readonly<Record<StorageType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Refuses a file. Errors: always FindingsError. */
export type Refuse = (code: string, why: string, help?: string) => never;

export const refuseFile =
  (path: string): Refuse =>
  (code, why, help = "preprocess the sample again, or copy the file again") =>
    fail(code, `${path}: ${why}`, help, DATA_ROOT);
