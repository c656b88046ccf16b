import type { RunConfig } from "../config/run-config.ts";
import type { Batch, Positions, ScaleFactors, Sizes, Step, StepContext, Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import type { BaseFile } from "../model/base-file.ts";
import type { DrawSource } from "../random/sampler.ts";
import type { Fingerprint } from "./fingerprint.ts";
import type { Model } from "./forward.ts";
import type { Trainable } from "./optimizer-step.ts";

/** A run with everything opened that it needs: the loop reads no configuration file, no data file and no model file itself. */
export interface Run {
  /** The same for runs with the same settings, and kept by one that is resumed with more steps. Weights files carry it. */
  readonly id: string;
  readonly config: RunConfig;
  readonly step: Step;
  /** The strategy's parameters, complete. */
  readonly params: Readonly<Record<string, unknown>>;
  /** What a training state must agree on with the run that resumes it. */
  readonly fingerprint: Fingerprint;
  /** Null where no file was read. */
  readonly base: BaseFile | null;
  readonly engine: Engine;
  readonly model: Model;
  readonly trainable: Trainable;
  /** The moving average of what is trained, with the same names; null where the run keeps none. */
  readonly ema: Trainable | null;
  /** A weight of the strategy's own: `concept.video`. */
  readonly weight?: StepContext<unknown>["weight"];
  /** What a network of the strategy's makes of a value, within a step. */
  readonly network?: (name: string, x: Tensor) => Tensor;
  readonly positions: Positions;
  readonly scaleFactors: ScaleFactors;
  readonly data: RunData;
  /** Samples that are evaluated and not trained on, one per batch; null where the run config holds none out. */
  readonly heldOut: RunData | null;
  /** Draws the samples of `validation`; null where none can be drawn. */
  readonly samples: SampleSource | null;
  /** The random numbers of a micro-batch of an optimizer step, both counted from 0. */
  readonly draws: (step: number, microBatch: number) => DrawSource;
}

export interface RunData {
  /** Samples in all. */
  readonly samples: number;
  /** Micro-batch `index`, counted from 0 over the whole run: which samples it holds is a function of the index alone. */
  load(index: number): Promise<LoadedBatch>;
}

/** What a run reads of an `AbortSignal`. The full type would make users of `ltxc/runtime` need the types of Node.js or of browsers. */
export interface StopSignal {
  readonly aborted: boolean;
}

/** When samples are drawn. */
export interface Moment {
  /** Steps done. */
  readonly globalStep: number;
  /** Whether what is trained is still as the run made it, and not of a file: adapters that change nothing yet, or the base model's own weights. */
  readonly isUntrained: boolean;
}

export interface SampleSource {
  readonly count: number;
  /** Reads the conditions, and encodes those that are pixels. @throws FindingsError as `draw` */
  prepare(): Promise<void>;
  /**
   * Draws and writes sample `index`, counted from 0, with the weights as they are.
   * @returns its file, or null where `signal` was aborted meanwhile
   * @throws FindingsError for files that have changed since they were checked, and for those that can not be written
   */
  draw(index: number, at: Moment, signal?: StopSignal): Promise<string | null>;
  /**
   * The same with the base model, which never changes: null, too, where the sample is there already, or is that of step 0, or where the base model is
   * not held.
   */
  drawBase(index: number, at: Moment, signal?: StopSignal): Promise<string | null>;
  /** Frees what drawing needs and training does not, until the next drawing. */
  release(): void;
}

export interface LoadedBatch {
  /** The samples, as the user knows them. */
  readonly names: readonly string[];
  /** Of its sources that have a grid. */
  readonly sizes: Sizes;
  /** Of each sample, the data set that it is of; not given where all are of one. */
  readonly sets?: readonly string[];
  /** The optional sources that none of its samples has; none if not given. */
  readonly lacks?: readonly string[];
  /** Seconds that its files were waited for: what was not read ahead in time. */
  readonly waitSeconds: number;
  /** Makes the batch's tensors, within the forward pass. */
  batch(): Batch<unknown>;
  /** Frees what was made for the batch before the forward pass. */
  release(): void;
}
