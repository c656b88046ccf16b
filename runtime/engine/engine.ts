/** What the trainer knows of an engine. Only the files in this folder and in `graph/record` import a tensor library. */
import type { HostTensor, Ops, Shape, Tensor } from "../contract.ts";
import type { Finding } from "../findings.ts";
import type { StoredTensor } from "../graph/stored-tensor.ts";
import type { Provider } from "./onnx/provider.ts";

export type EngineName = "cpu" | "wasm" | "onnx" | "torch" | "tfjs-node-gpu";

/** In what numbers an engine computes the model; all else is float32 in any case. */
export type Precision = "float32" | "bfloat16";

interface EngineMemory {
  /** Tensors alive. */
  readonly tensors: number;
  /** Bytes that they hold. */
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
  /** A function is being recorded. */
  | { readonly type: "recording" }
  | {
      readonly type: "recorded";
      readonly operations: number;
      /** Whether an earlier process had recorded and saved it. */
      readonly isKept: boolean;
      readonly recordSeconds: number;
      /** How long the device took to open the graph. */
      readonly startSeconds: number;
    }
  /** A graph has run once on a provider other than the CPU; `onCpu` counts, by operator, what ran on the CPU nevertheless. */
  | { readonly type: "placed"; readonly operations: number; readonly onCpu: Readonly<Record<string, number>> }
  /** Something that the user may want to know, and that changes no result: such as that a saved recording can not be used. */
  | { readonly type: "note"; readonly message: string };

/** See `Engine.checkpoint`. */
export interface Checkpointed<T> {
  readonly inputs: readonly T[];
  readonly constants: readonly T[];
  readonly parameters: readonly T[];
}

export interface Engine {
  readonly name: EngineName;
  /** float32 if not given. */
  readonly precision?: Precision;
  /** With what it computes; undefined for engines that compute with one thing only. */
  readonly provider?: Provider;
  /** Whether it computes on an NVIDIA GPU; false if not given. */
  readonly isGpu?: boolean;
  readonly ops: Ops;
  /** Uploads host values; the tensor lives until `dispose`, also inside `tidy`. */
  keep(value: HostTensor): Tensor;
  /** A float32 tensor of zeros, which lives as one of `keep`. */
  zeros(shape: Shape): Tensor;
  /** A float32 tensor whose numbers stay in their file, which must not change. Only engines that read weights from files have it. */
  map?(stored: StoredTensor): Tensor;
  /** Reads a tensor back to the host. */
  read(x: Tensor): Promise<HostTensor>;
  dispose(...tensors: readonly (Tensor | null)[]): void;
  /** Runs `f` and frees every tensor made inside, except those reachable from its result (arrays and plain objects are searched). */
  tidy<T>(f: () => T): T;
  /**
   * Runs `forward` and differentiates its scalar `loss` by each parameter. Outputs and gradients survive, all else is freed.
   * `forward` must read the very tensors that are passed as parameters.
   */
  differentiate<Outputs extends Readonly<Record<string, Tensor>>>(
    forward: () => { loss: Tensor; outputs: Outputs },
    parameters: readonly Tensor[],
  ): Differentiated<Outputs>;
  /**
   * Runs `f` without keeping its intermediate values; the backward pass runs it again. `f` gets inputs and constants as one list, and
   * may use only these and tensors of `keep` and `map`. `parameters` are the trained ones among the latter. Inputs and parameters get
   * gradients.
   */
  checkpoint(f: (given: readonly Tensor[]) => Tensor, given: Checkpointed<Tensor>): Tensor;
  memory(): EngineMemory;
  /**
   * Whether graphs that are recorded from now on leave the frozen weights of blocks on the host, and bring each block to the device when
   * its turn comes; only engines that can do so have it.
   */
  offload?(isOn: boolean): void;
  /**
   * Floating-point operations of the matrix products that were asked for so far, a checkpointed block's only once; only engines that
   * record count them.
   */
  flops?(): number;
  /**
   * Saves recordings on disk from now on, and uses those that were saved before; only engines that record have it.
   * @param scope everything that recordings depend on besides the calls to the engine, such as the model and the strategy
   */
  remember?(scope: string): void;
  /** Reports events to the listener, in place of an earlier one; only engines that record have it. */
  watch?(listener: (event: EngineEvent) => void): void;
  /**
   * Calls `listener`, in place of an earlier one, right before something ends the process that no error can be thrown for. What it does it
   * must do at once. Without a listener (null) the finding is printed to stderr. Only engines that map files have it.
   */
  onFault?(listener: ((finding: Finding) => void) | null): void;
}
