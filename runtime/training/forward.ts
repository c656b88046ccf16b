import type {
  Batch,
  LossTerms,
  ModelInputs,
  Ops,
  Positions,
  Prediction,
  Prepared,
  ScaleFactors,
  Step,
  StepContext,
  Tensor,
} from "../contract.ts";
import { createDraws, type DrawSource, type Sampler } from "./draws.ts";

/** What stays the same from micro-batch to micro-batch. */
export interface ForwardContext {
  readonly ops: Ops;
  readonly step: Step;
  readonly params: unknown;
  /** The transformer with its adapters. */
  readonly model: (inputs: ModelInputs) => Prediction;
  readonly sampler: Sampler;
  readonly positions: Positions;
  readonly scaleFactors: ScaleFactors;
}

/** How far a run has come: finished optimizer steps, and their share of the run's steps, from 0 to 1. */
export interface Progress {
  readonly globalStep: number;
  readonly progress: number;
}

/** A micro-batch's loss and what is worth knowing of it, on the device. */
export interface Forward {
  /** Scalar: the mean over the batch of the sum of the terms, divided by `divisor`. */
  readonly loss: Tensor;
  /**
   * `report` `[(terms + 2 + undecided) * B]`: each term, the noise level, 1 where a token is generated, and for each undecided term 1
   * where it covers kept tokens; one value per sample each.
   */
  readonly outputs: { readonly report: Tensor };
}

/** What a report says, on the host; arrays have one entry per sample. */
export interface Report {
  readonly terms: Readonly<Record<string, Float32Array>>;
  readonly sigma: Float32Array;
  /** 1 for samples with at least one generated token. */
  readonly generated: Float32Array;
  /** By undecided term, 1 for samples in which it covers kept tokens. */
  readonly overlaps: Readonly<Record<string, Float32Array>>;
}

/**
 * From a batch to its loss: the strategy's inputs, the model, the strategy's loss. A pure function of the batch and the draws, both
 * of which enter through `ops.input`; no value is read back.
 */
export function forward(
  context: ForwardContext,
  batch: Batch<unknown>,
  { draws: source, progress, divisor }: { draws: DrawSource; progress: Progress; divisor: number },
): Forward {
  const { ops, step, params, positions, scaleFactors } = context;
  const draws = createDraws(ops, source, context.sampler);
  const ctx: StepContext<unknown> = { ops, draws, params, positions, scaleFactors, ...progress };
  const prepared = step.prepare(ctx, batch);
  const terms = step.loss(ctx, prepared, context.model(prepared.inputs));
  const flags = [hasGenerated(ops, prepared), ...overlapsOf(step, prepared)].map((flag) => ops.float(flag));
  const report = ops.concat([...inOrder(step, terms), sigmaOf(prepared), ...flags], 0);
  const perSample = inOrder(step, terms).reduce((sum, term) => ops.add(sum, term));
  return { loss: ops.div(ops.mean(perSample), divisor), outputs: { report } };
}

/** Takes a report of `size` samples apart. */
export function readReport(step: Step, data: Float32Array, size: number): Report {
  const part = (i: number) => data.subarray(i * size, (i + 1) * size);
  const names = step.strategy.losses.map(({ name }) => name);
  return {
    terms: Object.fromEntries(names.map((name, i) => [name, part(i)])),
    sigma: part(names.length),
    generated: part(names.length + 1),
    overlaps: Object.fromEntries(step.strategy.undecided.map((name, i) => [name, part(names.length + 2 + i)])),
  };
}

export const reportLength = (step: Step, size: number): number =>
  (step.strategy.losses.length + 2 + step.strategy.undecided.length) * size;

/** The terms as the strategy lists them. */
function inOrder({ strategy }: Step, terms: LossTerms): Tensor[] {
  return strategy.losses.map(({ name }) => {
    const term = terms[name];
    if (term === undefined) throw new Error(`strategy ${strategy.name} has no loss term ${name}`);
    return term;
  });
}

/** `[B]`, of the video if it is generated, else of the audio: a frozen modality's level is 0 and says nothing about the loss. */
function sigmaOf({ inputs, video }: Prepared): Tensor {
  const modality = video === null ? inputs.audio : inputs.video;
  if (modality === null) throw new Error("a step without a generated modality");
  return modality.sigma;
}

/** bool `[B]` each, as the strategy lists them. */
function overlapsOf({ strategy }: Step, { overlaps }: Prepared): Tensor[] {
  return strategy.undecided.map((name) => {
    const overlap = overlaps[name];
    if (overlap === undefined) throw new Error(`strategy ${strategy.name} does not say what ${name} covers`);
    return overlap;
  });
}

/** bool `[B]`, true where any token of any modality is generated. */
function hasGenerated(ops: Ops, { video, audio }: Prepared): Tensor {
  const flags = [video, audio].flatMap((modality) => (modality === null ? [] : [ops.any(modality.generated, [1])]));
  return flags.reduce((a, b) => ops.or(a, b));
}
