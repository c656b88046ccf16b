import type { StorageType } from "../../contract.ts";

/** A contiguous, row-major tensor to be written; `values` are rounded to `storage`. */
export interface TensorToWrite {
  readonly shape: readonly number[];
  readonly storage: StorageType;
  readonly values: Float32Array;
}

/** A number is written as float if it is one of these, else as int where it is whole. */
interface FloatToWrite {
  readonly float: number;
}

export type EntryToWrite = TensorToWrite | FloatToWrite | number | string | boolean | null;
