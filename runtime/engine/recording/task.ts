import type { Tensor } from "../../contract.ts";
import type { CallLog } from "./call-log.ts";
import { DeviceTensor, mapTensors } from "./device-tensor.ts";

/** A function to run as one graph. */
export interface Task<T> {
  readonly kind: "tidy" | "differentiate";
  readonly parameters: readonly DeviceTensor[];
  /** Calls operations. Every tensor that the operations made and the result contains is an output of the graph. */
  body(): T;
  /** Picks the scalar to differentiate from the result. */
  loss?(result: T): Tensor;
}

export interface Outcome<T> {
  readonly result: T;
  /** One per parameter; null where the loss does not depend on it. */
  readonly gradients: readonly (DeviceTensor | null)[];
}

/** The key of the first call, which starts the function. */
export function startKey({ kind, parameters }: Task<unknown>, log: CallLog): string {
  return `${kind}(${parameters.map((x) => log.nameOf(x)).join()})`;
}

/** The key of the last call, which returns the result. */
export function returnKey(result: unknown, log: CallLog): string {
  return `return ${tensorsIn(result, log)
    .map((x) => log.nameOf(x))
    .join()}`;
}

/** Tensors passed through `tidy` stay the caller's, so they are not outputs; `differentiate` returns new tensors only. */
export function isOutput({ kind }: Task<unknown>, x: Tensor): boolean {
  return kind === "differentiate" || !(x instanceof DeviceTensor);
}

/** The outputs among the result's tensors, in the order of the graph's outputs. */
export function outputsIn(task: Task<unknown>, result: unknown, log: CallLog): Tensor[] {
  return tensorsIn(result, log).filter((x) => isOutput(task, x));
}

function tensorsIn(result: unknown, log: CallLog): Tensor[] {
  const tensors: Tensor[] = [];
  mapTensors(
    result,
    (x) => log.has(x),
    (x) => tensors.push(x),
  );
  return tensors;
}
