import type { PassInfo } from "../contract.ts";
import type { Finding } from "../findings.ts";
import type { GpuUse } from "./gpu-watch.ts";

/** What happens in a run, as plain data: for the progress line, and line by line in `<output_dir>/metrics.jsonl`. */
export type TrainEvent =
  | StartedEvent
  | StepEvent
  | EvaluationEvent
  | SampleEvent
  | CheckpointEvent
  | WarningEvent
  | InterruptedEvent
  | FinishedEvent;

export interface StartedEvent {
  readonly type: "started";
  /** Steps already done: 0, or where a resumed run goes on. */
  readonly globalStep: number;
  readonly steps: number;
  readonly strategy: string;
  /** SHA-256 of its source text, and the values of its parameters. */
  readonly sourceHash: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly engine: string;
  readonly environment: Environment;
  /** When the run began, as ISO 8601. */
  readonly time: string;
  /** Samples of the data set. */
  readonly samples: number;
  /** Numbers that are trained. */
  readonly trainableParameters: number;
  /** What its checkpoints save to resume from: `checkpoints.save_training_state`. */
  readonly trainingState: "full" | "minimal" | "off";
  /** Calls of the model in a step besides its own; none if not given. */
  readonly passes?: readonly PassInfo[];
  /** Names of the strategy's networks, whose weights are not trained; none if not given. */
  readonly networks?: readonly string[];
  /** What `runtime.optimization` of the run config asks for, with the keys that it has there; nothing if not given. */
  readonly optimization?: Readonly<Record<string, unknown>>;
  /** What it is expected to take; not given where nobody has reckoned it. */
  readonly expected?: Expected;
  /** The weights that the run began with, or null. */
  readonly loaded: string | null;
  /** The folder that the run writes to. */
  readonly outputDirectory: string;
}

/** What a run is expected to take, as `ltxc plan` reckons it. */
export interface Expected {
  /** What it is reckoned for. */
  readonly engine: { readonly name: string; readonly provider: string; readonly precision: string };
  /** The engine that the run computes with, where nothing can be reckoned for that one; otherwise null. */
  readonly insteadOf: string | null;
  /** Bytes of memory, of the device that computes, with the largest samples. */
  readonly residentBytes: number;
  /** Floating-point operations of the matrix products of an optimizer step, with samples of the commonest size. */
  readonly flopsPerStep: number;
  /** Seconds of such a step; null where the engine's speed was never measured on this machine. */
  readonly secondsPerStep: number | null;
}

/** What a run computed on. */
export interface Environment {
  /** Version of ltxc that compiled the strategy. */
  readonly ltxc: string;
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
}

export interface StepEvent {
  readonly type: "step";
  /** Counts from 1: the steps done. */
  readonly globalStep: number;
  readonly steps: number;
  /** Those that it learned from, micro-batch by micro-batch: over the steps, the order of the epochs. */
  readonly samples: readonly string[];
  /** Mean over all samples of the step, all micro-batches. */
  readonly loss: number;
  /** The same of each loss term. */
  readonly terms: Readonly<Record<string, number>>;
  /** The learning rate that this step used. */
  readonly learningRate: number;
  /** Before clipping. */
  readonly gradNorm: number;
  readonly secondsPerStep: number;
  /** Samples that the step learned from, all micro-batches, per second. */
  readonly samplesPerSecond: number;
  /** Tokens that the model was given, of both modalities, references included. */
  readonly tokensPerSecond: number;
  /** Floating-point operations of matrix products per second; null for engines that do not count them. */
  readonly flopsPerSecond: number | null;
  /**
   * The share of what the GPU can do at most in the numbers that the engine computes in (model FLOPs utilization): what a checkpointed
   * block computes a second time does not count. Null without a GPU, and for one whose data sheet is not known here.
   */
  readonly mfu: number | null;
  /** What the GPU does, as its driver tells every few seconds; null without one. */
  readonly gpu: GpuUse | null;
  /** The most memory that the process has held so far, outside of a GPU. */
  readonly peakMemoryBytes: number;
  /** Of `secondsPerStep`, seconds spent waiting for data. */
  readonly waitSeconds: number;
  /** Null after the first step of a run, which warms everything up and says nothing of the others. */
  readonly etaSeconds: number | null;
  /** Mean loss of the samples in each range of noise levels, e.g. `{"0.25-0.50": 0.8}`. */
  readonly sigmaBuckets: Readonly<Record<string, number>>;
  /** Mean loss of the samples of each data set; not given where all are of one. */
  readonly datasets?: Readonly<Record<string, number>>;
}

/** The loss of held-out samples at fixed noise levels, with the same noise in every evaluation. */
export interface EvaluationEvent {
  readonly type: "evaluation";
  /** Steps done. */
  readonly globalStep: number;
  /** Mean over samples and noise levels. */
  readonly loss: number;
  /** The same of each loss term. */
  readonly terms: Readonly<Record<string, number>>;
  /** Mean over samples at each noise level, in the order of `evaluation.sigmas`. */
  readonly sigmas: readonly { readonly sigma: number; readonly loss: number }[];
  /** Mean over the samples of each data set, and noise levels; not given where all are of one. */
  readonly datasets?: Readonly<Record<string, number>>;
  readonly seconds: number;
}

interface SampleEvent {
  readonly type: "sample";
  readonly globalStep: number;
  /** Counts from 1. */
  readonly number: number;
  /** How many there are. */
  readonly count: number;
  /** The safetensors file; the other files have the same name. */
  readonly path: string;
  /** Whether the base model drew it, without what is trained; not given where it did not. */
  readonly isBase?: true;
  readonly seconds: number;
}

interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly globalStep: number;
  /** The weights file. */
  readonly path: string;
}

interface WarningEvent {
  readonly type: "warning";
  readonly finding: Finding;
}

/** The run was asked to stop; the step was finished and saved. */
export interface InterruptedEvent {
  readonly type: "interrupted";
  readonly globalStep: number;
  /** Write it as `model.load_checkpoint` to go on. */
  readonly checkpoint: string;
}

export interface FinishedEvent {
  readonly type: "finished";
  readonly globalStep: number;
  readonly checkpoint: string;
  readonly seconds: number;
  readonly stepsPerSecond: number;
}

/** How a run ended. */
export type Summary = InterruptedEvent | FinishedEvent;
