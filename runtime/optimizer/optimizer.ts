import type { HostTensor, Tensor } from "../contract.ts";
import type { Gradients } from "./gradients.ts";

/** What an optimizer remembers of one parameter, on the host, as a training state stores it. */
export interface StoredMoments {
  /** Updates so far. */
  readonly t: number;
  /** Running means of the gradient and of its square, shaped like the parameter. */
  readonly m: HostTensor;
  readonly v: HostTensor;
}

/** What every optimizer offers to the training loop and to checkpoints. */
export interface Optimizer {
  /**
   * One update with learning rate `rate`; gradients are multiplied by `factor`, a scalar on the device, if given. Returns the new
   * parameters in order and frees those that they replace. A parameter without a gradient is left as it is: no decay, no moments,
   * and its count of updates stands still.
   */
  update(parameters: readonly Tensor[], gradients: Gradients, rate: number, factor: Tensor | null): Promise<Tensor[]>;
  /** One entry per parameter, null for those that were never updated. */
  save(): Promise<(StoredMoments | null)[]>;
  /** Takes over what `save` returned. */
  restore(stored: readonly (StoredMoments | null)[]): void;
  /** Frees what it remembers. */
  dispose(): void;
}
