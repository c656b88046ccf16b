/** What an engine offers to the trainer. The only importers of a tensor library are the files beside this one. */
import type { HostTensor, Ops, Tensor } from "../contract.ts";
import type { StoredTensor } from "../graph/stored-tensor.ts";
import type { Checkpointed } from "./checkpoint.ts";

export type EngineName = "cpu" | "wasm" | "onnx" | "tfjs-node-gpu";

interface EngineMemory {
  /** Tensors alive. */
  readonly tensors: number;
  /** Bytes they hold. */
  readonly bytes: number;
}

/** The result of one forward and backward pass; the caller disposes every tensor in it. */
export interface Differentiated<Outputs> {
  /** Scalar. */
  readonly loss: Tensor;
  readonly outputs: Outputs;
  /** One per parameter, in order; null where the loss does not depend on the parameter. */
  readonly gradients: readonly (Tensor | null)[];
}

/** What an engine is busy with besides computing. */
export type EngineEvent =
  /** A function is recorded, and got ready to run. */
  | { readonly type: "recording" }
  | {
      readonly type: "recorded";
      readonly operations: number;
      /** Whether an earlier run had recorded it. */
      readonly isKept: boolean;
      readonly recordSeconds: number;
      /** From the recording to where it can run. */
      readonly startSeconds: number;
    }
  /** What was recorded has run on another provider than the CPU, except for so many operations of some kinds. */
  | { readonly type: "placed"; readonly operations: number; readonly onCpu: Readonly<Record<string, number>> };

export interface Engine {
  readonly name: EngineName;
  readonly ops: Ops;
  /** Uploads host values; the tensor lives until `dispose`, also inside `tidy`. */
  keep(value: HostTensor): Tensor;
  /** A float32 tensor whose numbers stay in their file, which must not change; engines that read files as they go have it. */
  map?(stored: StoredTensor): Tensor;
  /** Reads a tensor back to the host. */
  read(x: Tensor): Promise<HostTensor>;
  dispose(...tensors: readonly (Tensor | null)[]): void;
  /** Runs `f` and frees every tensor made inside but those reachable from its result (arrays and plain objects are searched). */
  tidy<T>(f: () => T): T;
  /**
   * Runs `forward` and differentiates its scalar `loss` by each parameter. Outputs and gradients survive, all else is freed.
   * Parameters are the very tensors that `forward` reads.
   */
  differentiate<Outputs extends Readonly<Record<string, Tensor>>>(
    forward: () => { loss: Tensor; outputs: Outputs },
    parameters: readonly Tensor[],
  ): Differentiated<Outputs>;
  /**
   * Runs `f` without keeping what it computes on the way; the backward pass runs it again. `f` gets inputs and constants in one list, and
   * uses no other tensors than these and those of `keep` and `map`; `parameters` are those of the latter that are trained. Gradients
   * reach inputs and parameters.
   */
  checkpoint(f: (given: readonly Tensor[]) => Tensor, given: Checkpointed<Tensor>): Tensor;
  memory(): EngineMemory;
  /**
   * Keeps on disk what is recorded from now on, and takes what was kept; engines that record have it. The scope says what recordings
   * depend on beside what is asked of the engine, such as constants.
   */
  remember?(scope: string): void;
  /** Tells the listener what the engine does from now on; engines that record have it. */
  watch?(listener: (event: EngineEvent) => void): void;
}
