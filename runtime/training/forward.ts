import type {
  Batch,
  Draws,
  LossTerms,
  ModelInputs,
  Ops,
  PassWeights,
  Positions,
  Prediction,
  Prepared,
  ScaleFactors,
  SourceBatch,
  Step,
  StepContext,
  StrategyInfo,
  Tensor,
  Velocities,
} from "../contract.ts";
import type { StreamName } from "../model/config.ts";
import type { Dropout } from "../model/lora.ts";
import type { TargetTokens } from "../model/outputs.ts";
import { fitting } from "./fitting.ts";
import { createDraws, createDrawsAt } from "../random/draws.ts";
import type { DrawSource, Sampler } from "../random/sampler.ts";

/**
 * The transformer with its adapters; with `targets`, how many tokens of each modality are the target's, also the strategy's outputs
 * on these. `dropout` is given while training with it; `weights` are those that are trained, if not given.
 */
export type Model = (
  inputs: ModelInputs,
  targets?: TargetTokens,
  dropout?: Dropout,
  weights?: PassWeights,
) => Prediction;

/** What stays the same from micro-batch to micro-batch. */
export interface ForwardContext {
  readonly ops: Ops;
  readonly step: Step;
  readonly params: unknown;
  readonly model: Model;
  readonly sampler: Sampler;
  readonly positions: Positions;
  readonly scaleFactors: ScaleFactors;
  /** A weight of the strategy's own by name; not given where it has none. */
  readonly weight?: StepContext<unknown>["weight"];
  /** What a network of the strategy's makes of a value; not given where it has none. */
  readonly network?: StepContext<unknown>["network"];
}

/** How far a run has come: finished optimizer steps, and their share of the run's steps, from 0 to 1. */
export interface Progress {
  readonly globalStep: number;
  readonly progress: number;
}

interface ForwardOptions {
  readonly draws: DrawSource;
  readonly progress: Progress;
  readonly divisor: number;
  /** Share of an adapter's input that is zeroed; 0 if not given, as when a run is evaluated. */
  readonly dropout?: number;
  /** All noise levels; without it those that the strategy draws. */
  readonly sigma?: number;
  /** Told how many tokens the model gets, of all samples and both modalities, references included. */
  onTokens?(count: number): void;
}

/** A micro-batch's loss and what is worth knowing of it, on the device. */
interface Forward {
  /** Scalar: the mean over the batch of the sum of the terms, divided by `divisor`. */
  readonly loss: Tensor;
  /**
   * `report` `[rows * B]`, one value per sample each: each term, the noise level, 1 where a token is generated, for each undecided term
   * 1 where it covers kept tokens, and where there is an attention mask, 1 for each modality where a token attends to nothing.
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
  /** By modality, 1 for samples in which a row of the attention mask has no key; null without such masks. */
  readonly blind: Readonly<Record<StreamName, Float32Array>> | null;
}

/**
 * From a batch to its loss: the strategy's inputs, the model, the strategy's loss. A pure function of the batch and the draws. Both
 * enter through `ops.input`; no value is read back.
 */
export function forward(
  context: ForwardContext,
  batch: Batch<unknown>,
  { draws: source, progress, divisor, sigma, onTokens, dropout = 0 }: ForwardOptions,
): Forward {
  const { ops, step, params, positions, scaleFactors, weight = noWeights, network = noNetworks } = context;
  const draws = sigma === undefined ? createDraws(ops, source, context.sampler) : createDrawsAt(ops, source, sigma);
  const dropped = createDropout(ops, draws, dropout);
  const calls: ModelInputs[] = [];
  const call = (pass: string, given: ModelInputs) => {
    calls.push(given);
    return callPass(context, pass, given, dropped);
  };
  const ctx: StepContext<unknown> = { ops, draws, params, positions, scaleFactors, ...progress, call, weight, network };
  const prepared = fitting(() => step.prepare(ctx, batch));
  const { inputs } = prepared;
  calls.push(inputs);
  const prediction = context.model(inputs, targetTokens(step.strategy, batch), dropped);
  const terms = fitting(() => step.loss(ctx, prepared, prediction));
  const marks = [hasGenerated(ops, prepared), ...overlapsOf(step, prepared)].map((flag) => ops.float(flag));
  onTokens?.(calls.reduce((sum, given) => sum + tokensOf(given), 0));
  const flags = [...marks, ...blindRows(ops, calls, batch.size)];
  const report = ops.concat([...inOrder(step, terms), sigmaOf(prepared), ...flags], 0);
  const perSample = inOrder(step, terms).reduce((sum, term) => ops.add(sum, term));
  return { loss: ops.div(ops.mean(perSample), divisor), outputs: { report } };
}

/** The `call` of a context for strategies that have no passes. */
export const noPasses: StepContext<unknown>["call"] = (pass) => {
  throw new Error(`there is no model to call for the pass ${pass}`);
};

/** The `weight` of a context for strategies that have none. */
export const noWeights: StepContext<unknown>["weight"] = (name) => {
  throw new Error(`there is no weight ${name}`);
};

/** The `network` of a context for strategies that have none. */
export const noNetworks: StepContext<unknown>["network"] = (name) => {
  throw new Error(`there is no network ${name}`);
};

/** A pass of the strategy. With other weights than the trained ones, its predictions have no gradient, not even to its inputs. */
function callPass(
  { ops, step, model }: ForwardContext,
  name: string,
  inputs: ModelInputs,
  dropout?: Dropout,
): Velocities {
  const pass = step.strategy.passes?.find((each) => each.name === name);
  if (pass === undefined) throw new Error(`strategy ${step.strategy.name} has no pass ${name}`);
  const { video, audio } = model(inputs, undefined, dropout, pass.weights);
  if (pass.weights === "trained") return { video, audio };
  return { video: video && ops.stopGradient(video), audio: audio && ops.stopGradient(audio) };
}

/**
 * Inverted dropout, Srivastava et al. 2014: each number of an adapter's input is zero with probability `rate`, else divided by
 * 1 - rate. Every adapter has a draw of its own, named for its layer, so a resumed run drops what an uninterrupted one would. Further calls
 * of the model in the same step drop the same, where their sequences are as long; so does a block that is computed again.
 */
function createDropout(ops: Ops, draws: Draws, rate: number): Dropout | undefined {
  if (rate === 0) return undefined;
  const scaled = (u: Tensor) => ops.mul(ops.float(ops.greaterEqual(u, rate)), 1 / (1 - rate));
  /** By module and shape. The numbers follow from the name, and a tensor of them would not outlive the block that made it. */
  const names = new Map<string, Map<string, string>>();
  return (module, x) => {
    const known = names.get(module) ?? new Map<string, string>();
    names.set(module, known);
    const shape = x.shape.join();
    const name = known.get(shape) ?? (known.size === 0 ? "dropout" : `dropout#${known.size}`);
    known.set(shape, name);
    return ops.mul(x, scaled(draws.rand(`lora.${module}.${name}`, x.shape)));
  };
}

function tokensOf({ video, audio }: ModelInputs): number {
  return [video, audio].reduce((sum, x) => sum + (x?.latent.shape[0] ?? 0) * (x?.latent.shape[1] ?? 0), 0);
}

/** How many tokens of each modality are the target's, for strategies that have outputs of their own. */
function targetTokens({ modalities, outputs }: StrategyInfo, batch: Batch<unknown>): TargetTokens | undefined {
  if (outputs.length === 0) return undefined;
  const sources = batch.sources as Readonly<Record<string, SourceBatch>>;
  const count = (name: StreamName): number => {
    const source = sources[modalities[name]?.latents ?? ""];
    if (source?.kind === "audio_latents") return source.steps;
    return source?.kind === "video_latents" ? source.frames * source.height * source.width : 0;
  };
  return { video: count("video"), audio: count("audio") };
}

/** Takes a report of `size` samples apart. */
export function readReport(step: Step, data: Float32Array, size: number): Report {
  const part = (i: number) => data.subarray(i * size, (i + 1) * size);
  const names = step.strategy.losses.map(({ name }) => name);
  const { undecided } = step.strategy;
  const known = names.length + 2 + undecided.length;
  return {
    terms: Object.fromEntries(names.map((name, i) => [name, part(i)])),
    sigma: part(names.length),
    generated: part(names.length + 1),
    overlaps: Object.fromEntries(undecided.map((name, i) => [name, part(names.length + 2 + i)])),
    blind: data.length === known * size ? null : { video: part(known), audio: part(known + 1) },
  };
}

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

/**
 * `[B]` for video and audio: 1 where some token attends to none, by which attention has no meaning; nothing without an attention mask.
 */
function blindRows(ops: Ops, calls: readonly ModelInputs[], size: number): Tensor[] {
  const masks = (["video", "audio"] as const).map((name) => {
    const own = calls.flatMap((inputs) => inputs[name]?.attentionMask ?? []);
    return own.filter((mask, i) => own.indexOf(mask) === i);
  });
  if (masks.every((own) => own.length === 0)) return [];
  return masks.map((own) => {
    if (own.length === 0) return ops.fill([size], 0);
    const isBlind = own.map((mask) => ops.any(ops.lessEqual(ops.max(mask, [2]), 0), [1]));
    return ops.broadcastTo(ops.float(isBlind.reduce((a, b) => ops.or(a, b))), [size]);
  });
}
