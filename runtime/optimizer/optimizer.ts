import type { HostTensor, Tensor } from "../contract.ts";
import type { Gradients } from "./gradients.ts";

/**
 * What optimizers remember of a parameter, each shaped like it: `m` and `v` are running means of the gradient and of its square, `s` is
 * the sum of the gradients that Prodigy weighs, `start` the parameter as it was before the first update.
 */
export const momentKinds = ["m", "v", "s", "start"] as const;
export type MomentKind = (typeof momentKinds)[number];

/** What an optimizer remembers of one parameter, on the host, as a training state stores it. */
export interface StoredMoments extends Readonly<Partial<Record<MomentKind, HostTensor>>> {
  /** Updates so far. */
  readonly t: number;
}

/** One learning rate for all parameters, or one for each. */
export type Rate = number | readonly number[];

export const rateOf = (rate: Rate, parameter: number): number =>
  typeof rate === "number" ? rate : (rate[parameter] as number);

/** What every optimizer offers to the training loop and to checkpoints. */
export interface Optimizer {
  /** What it remembers of each parameter. */
  readonly kinds: readonly MomentKind[];
  /**
   * One update with learning rate `rate`; gradients are multiplied by `factor`, a scalar on the device, if given. Returns the new
   * parameters in order and frees those that they replace. A parameter without a gradient is left as it is: no decay, no moments,
   * and its count of updates stands still.
   */
  update(parameters: readonly Tensor[], gradients: Gradients, rate: Rate, factor: Tensor | null): Promise<Tensor[]>;
  /** What the learning rate of the next update is multiplied by, where the optimizer finds that out itself; 1 if not given. */
  stepSize?(): number;
  /** One entry per parameter, null for those that were never updated. */
  save(): Promise<(StoredMoments | null)[]>;
  /** What it remembers besides, by name; nothing if not given. */
  numbers?(): Readonly<Record<string, number>>;
  /** Takes over what `save` and `numbers` returned. */
  restore(stored: readonly (StoredMoments | null)[], numbers?: Readonly<Record<string, number>>): void;
  /** Frees what it remembers. */
  dispose(): void;
}
