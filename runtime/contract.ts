/**
 * The contract between compiled strategies, the model, the trainer and the engines: types only.
 * Generated code imports this file as a type and nothing else; no tensor library is named here. What a strategy says of itself is in
 * strategy-info.ts, a part of the contract.
 *
 * Letters in shapes: B batch, T tokens of one modality, C channels per token, F H W latent frames, rows and columns,
 * S text tokens, D width. Video tokens are ordered (f h w) with w fastest.
 */

import type { StrategyInfo } from "./strategy-info.ts";

export type * from "./strategy-info.ts";

/** How numbers are computed: engines know these three. Latents stored as bf16 are widened to float32 when a batch is made. */
export type DType = "float32" | "int32" | "bool";

/** How a source's numbers were stored in its file; noise and targets are rounded to it (see `Ops.round`). */
export type StorageType =
  "float64" | "float32" | "float16" | "bfloat16" | "int64" | "int32" | "int16" | "int8" | "uint8" | "bool";

export type Shape = readonly number[];

/** A tensor of some engine. Opaque: only the engine that made it can look inside. */
export interface Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Numbers on the host, row-major. */
export interface HostTensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** A number stands for a float32 scalar wherever a tensor operand may stand. */
export type Operand = Tensor | number;

/**
 * Tensor operations with NumPy broadcasting. Pure: none reads a value back to the host, all shapes are known when called. All are
 * differentiable in their float32 operands, except comparisons, logic, `round` and `stopGradient` (gradient zero).
 * Errors: shapes that do not broadcast or axes out of range throw.
 */
export interface Ops extends StrategyOps, NetworkOps, OptimizerOps {}

/** What the expressions of a strategy become. */
export interface StrategyOps {
  add(a: Operand, b: Operand): Tensor;
  sub(a: Operand, b: Operand): Tensor;
  mul(a: Operand, b: Operand): Tensor;
  div(a: Operand, b: Operand): Tensor;
  pow(a: Operand, b: Operand): Tensor;
  maximum(a: Operand, b: Operand): Tensor;
  minimum(a: Operand, b: Operand): Tensor;
  neg(x: Tensor): Tensor;
  abs(x: Tensor): Tensor;
  square(x: Tensor): Tensor;
  sqrt(x: Tensor): Tensor;
  exp(x: Tensor): Tensor;
  log(x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
  sigmoid(x: Tensor): Tensor;
  sin(x: Tensor): Tensor;
  cos(x: Tensor): Tensor;
  floor(x: Tensor): Tensor;

  less(a: Operand, b: Operand): Tensor;
  lessEqual(a: Operand, b: Operand): Tensor;
  greater(a: Operand, b: Operand): Tensor;
  greaterEqual(a: Operand, b: Operand): Tensor;
  equal(a: Operand, b: Operand): Tensor;
  notEqual(a: Operand, b: Operand): Tensor;
  and(a: Tensor, b: Tensor): Tensor;
  or(a: Tensor, b: Tensor): Tensor;
  not(m: Tensor): Tensor;
  /** `m ? a : b`, elementwise; all three broadcast. */
  where(m: Tensor, a: Operand, b: Operand): Tensor;

  /** Reductions over `axes` (negative axes count from the end); without `axes`, over all. A reduced axis goes unless `keepDims`. */
  sum(x: Tensor, axes?: readonly number[], keepDims?: boolean): Tensor;
  mean(x: Tensor, axes?: readonly number[], keepDims?: boolean): Tensor;
  max(x: Tensor, axes?: readonly number[], keepDims?: boolean): Tensor;
  min(x: Tensor, axes?: readonly number[], keepDims?: boolean): Tensor;
  /** Of masks. */
  any(x: Tensor, axes?: readonly number[], keepDims?: boolean): Tensor;
  all(x: Tensor, axes?: readonly number[], keepDims?: boolean): Tensor;

  reshape(x: Tensor, shape: Shape): Tensor;
  /** Axes in their new order. */
  transpose(x: Tensor, order: readonly number[]): Tensor;
  concat(xs: readonly Tensor[], axis: number): Tensor;
  /** The block of `size` that begins at `begin`, one entry per axis; a size of -1 runs to the end. */
  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor;
  /** Rows of `x` along axis 0, chosen by int32 `indices` of any shape. */
  gather(x: Tensor, indices: Tensor): Tensor;
  broadcastTo(x: Tensor, shape: Shape): Tensor;
  fill(shape: Shape, value: number): Tensor;
  /** true and false become 1 and 0. */
  float(x: Tensor): Tensor;
  /** Rounds float32 values to the nearest number that `storage` can hold, ties to even; values stay float32. */
  round(x: Tensor, storage: StorageType): Tensor;
  stopGradient(x: Tensor): Tensor;

  /** `a [..., M, K] x b [..., K, N] -> [..., M, N]`; leading axes are equal or absent in `b`. */
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  /** Over the last axis. */
  softmax(x: Tensor): Tensor;
  /** Host values that may differ from step to step (a recording engine makes an input of them), under a name unique in the step. */
  input(name: string, value: HostTensor): Tensor;
  /** Host values that are the same whenever the step runs with the same shapes. */
  constant(value: HostTensor): Tensor;
}

/** What neural networks are made of, besides the operations of strategies: the model calls both, and so may imported functions. */
export interface NetworkOps {
  /** `x [..., in] W^T + b`, W `[out, in]` as checkpoints store it. */
  linear(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor;
  /** The tanh form: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
  gelu(x: Tensor): Tensor;
  /** x * sigmoid(x). */
  silu(x: Tensor): Tensor;
  /** x / sqrt(mean(x^2 over the last axis) + eps), times `weight` if given. */
  rmsNorm(x: Tensor, eps: number, weight?: Tensor): Tensor;
  /** (x - mean) / sqrt(variance + eps) over the last axis, biased variance, no weight. */
  layerNorm(x: Tensor, eps: number): Tensor;
  /** softmax(q k^T / sqrt(d) + bias) v; q `[B, H, Tq, d]`, k and v `[B, H, Tk, d]`, bias additive, broadcast to `[B, H, Tq, Tk]`. */
  attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | null): Tensor;
  /** x in float32, for what follows the model: inside of it, engines may compute with fewer bits. */
  widen(x: Tensor): Tensor;
  /** x (1 + scale) + shift; scale and shift have one shape, which broadcasts to that of x. */
  modulate(x: Tensor, scale: Tensor, shift: Tensor): Tensor;
  /**
   * Rotary embedding: each pair of channels (a, b) becomes (a cos - b sin, b cos + a sin). `halves`: x `[B, H, T, d]`, tables
   * `[B or 1, H, T, d / 2]`. `neighbours`: x `[B, T, D]`, tables `[B or 1, T, D]` with each value twice. The tables have no gradient.
   */
  rotate(x: Tensor, cos: Tensor, sin: Tensor, pairs: "halves" | "neighbours"): Tensor;
  /**
   * 3D convolution with stride 1: x `[B, C, T, H, W]`, weight `[O, C, t, h, w]`, bias `[O]`; the result is
   * `[B, O, T - t + 1, H - h + 1, W - w + 1]`. As in neural networks the kernel is not mirrored.
   * @param zeros so many stand around x, before and behind each axis of time, rows and columns, fewer than the kernel is long there; none if left away
   */
  convolve(x: Tensor, weight: Tensor, bias: Tensor | null, zeros?: Shape): Tensor;
}

/** What optimizers need; without gradients. */
export interface OptimizerOps {
  /**
   * AdamW for parameters with the same number t of updates. `scalars`, `[]` each: the learning rate η, t, 1 - η λ, sqrt(1 - β2^t),
   * η / (1 - β1^t), and where gradients have a factor, that. `lists`: n parameters, n gradients, n first and n second moments. Returns the
   * new parameters, first and second moments; the old ones are used up and must not be read. `settings`: β1, β2, ε, λ.
   */
  adamw(scalars: readonly Tensor[], lists: readonly Tensor[], settings: readonly number[]): readonly Tensor[];
}

/**
 * Random numbers by name. A value depends on the run's seed, the step, the micro-batch and the name alone, never on the order
 * of the calls. Names are places in the strategy file, e.g. `video.keep[0]`, `video.noise`.
 */
export interface Draws {
  /** Standard normal, rounded to `storage` if given. */
  randn(name: string, shape: Shape, storage?: StorageType): Tensor;
  /** Uniform in [0, 1). */
  rand(name: string, shape: Shape): Tensor;
  /** The run's flow-matching sampler: noise levels in [0, 1]; `tokens` is the modality's own token count, which shifts it. */
  sampled(name: string, shape: Shape, tokens: number): Tensor;
  /** The run config's sampler of this name, with parameters of the strategy's own. */
  shiftedLogitNormal(name: string, shape: Shape, tokens: number, params: ShiftedLogitNormal): Tensor;
  /** Uniform in [0, 1) on the host, one for each sample: for what positions are made of. */
  numbers(name: string, count: number): readonly number[];
  /**
   * True with this probability, the same for the whole batch. It is drawn on the host, since it decides shapes: a recording engine
   * keeps a recording for each outcome.
   */
  chance(name: string, probability: number): boolean;
}

/** See the run config's `flow_matching`: spread of the logit, smallest level, share of uniform levels. */
export interface ShiftedLogitNormal {
  readonly std: number;
  readonly eps: number;
  readonly uniform_prob: number;
}

/** Positions of latent cells; host values, since rotary tables are computed on the host in exact float32. */
export interface Positions {
  /**
   * `[B, 3, T, 2]`: [start, end) of each token in seconds, pixel rows, pixel columns. `fps` has one entry per sample. T counts
   * the references, in their order in the sequence, in front of the target's F*H*W tokens; theirs are mapped onto its grid.
   */
  video(grid: VideoGrid, fps: readonly number[], references?: readonly VideoReference[]): HostTensor;
  /** `[B, 1, T, 2]`: [start, end) of each step in seconds; `references` are the steps of those in front, which keep their own times. */
  audio(steps: number, batchSize: number, references?: readonly number[]): HostTensor;
}

/** A video in front of the target: its own grid and its own frames per second, one entry per sample. */
export interface VideoReference extends VideoGrid {
  readonly fps: readonly number[];
}

export interface VideoGrid {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

/** Pixels (and pixel frames) per latent cell, read from the checkpoint: 8, 32, 32 for LTX-2. */
export interface ScaleFactors {
  readonly time: number;
  readonly height: number;
  readonly width: number;
}

export interface StepContext<Params> {
  readonly ops: Ops;
  readonly draws: Draws;
  readonly params: Params;
  readonly positions: Positions;
  readonly scaleFactors: ScaleFactors;
  /** Finished optimizer steps, and their share of the run's steps, from 0 to 1. */
  readonly globalStep: number;
  readonly progress: number;
  /**
   * Calls the model once more within the step, as the strategy's pass of this name. What a pass with other weights than the trained ones
   * predicts is constant to the gradient.
   */
  call(pass: string, inputs: ModelInputs): Velocities;
  /**
   * A trained tensor of the strategy's own, `concept.video`: `[tokens, width of the text]`. For passes that call the moving average of the
   * weights, `weights` asks for that of the tensor; those that are trained if not given.
   */
  weight(name: string, weights?: "trained" | "ema"): Tensor;
  /**
   * What a frozen network of the strategy's makes of `x`, with a gradient to it. Video VAEs take and give `[B, C, frames, rows, columns]`; networks of
   * layers the same where they have convolutions, else any shape with the channels last.
   */
  network(name: string, x: Tensor): Tensor;
}

// ---------------------------------------------------------------------------------------------------------------- batches

/** `latents [B, C, F, H, W]`; sizes in latent cells, `fps` one entry per sample (24 where the file has none). */
export interface VideoLatents extends VideoGrid {
  readonly kind: "video_latents";
  readonly latents: Tensor;
  readonly storage: StorageType;
  readonly fps: readonly number[];
}

/** `latents [B, C, T, mel]`. */
export interface AudioLatents {
  readonly kind: "audio_latents";
  readonly latents: Tensor;
  readonly storage: StorageType;
  readonly steps: number;
}

/** After the connectors: `video [B, S, Dv]`, `audio [B, S, Da]`, `mask` int32 (or bool) `[B, S]`, 1 = attend. */
export interface TextEmbeddings {
  readonly kind: "text_embeddings";
  readonly video: Tensor;
  readonly audio: Tensor | null;
  readonly mask: Tensor;
}

/** `mask` float32 `[B, T]`, one value per token. */
export interface TokenMask {
  readonly kind: "video_mask" | "audio_mask";
  readonly mask: Tensor;
}

/** `value [B, ...]`, axes as the strategy's source declares them. */
export interface TensorSource {
  readonly kind: "tensor";
  readonly value: Tensor;
}

export type SourceBatch = VideoLatents | AudioLatents | TextEmbeddings | TokenMask | TensorSource;

/** One micro-batch, keyed by the strategy's source names. */
export interface Batch<Sources = Readonly<Record<string, SourceBatch>>> {
  readonly size: number;
  readonly sources: Sources;
  /**
   * bool `[B]` for each source that samples may lack: those that have it. The others hold numbers of its shape that mean nothing. And
   * for each data set: its samples.
   */
  readonly marks?: Readonly<Record<string, Tensor>>;
  /** Names of the optional sources that no sample of the batch has. Of references all have them, or none. */
  readonly lacks?: readonly string[];
}

// ------------------------------------------------------------------------------------------------------------------- model

/** What the transformer gets of one modality. T counts references and target together, references first. */
export interface ModalityInputs {
  /** `[B, T, C]` */
  readonly latent: Tensor;
  /** `[B]`, the noise level of each sample */
  readonly sigma: Tensor;
  /** `[B, T]`, the noise level of each token, 0 where it is clean */
  readonly timesteps: Tensor;
  /** Whether every timestep is its sample's sigma or 0, so that two of a sample need to be embedded and not T. */
  readonly twoLevels?: boolean;
  /** `[B, 3, T, 2]` video, `[B, 1, T, 2]` audio */
  readonly positions: HostTensor;
  /** `[B, S, D]` */
  readonly context: Tensor;
  /** `[B, S]` int32 or bool, or null for all ones */
  readonly contextMask: Tensor | null;
  /** `[B, T, T]` in [0, 1], query by key; `[1, T, T]` where it is the same for all samples; null for all ones */
  readonly attentionMask: Tensor | null;
  /** `[B, T, 1]`, above 0 for tokens that encode one single pixel frame, or null */
  readonly keyframesMask: Tensor | null;
  readonly enabled: boolean;
}

export interface ModelInputs {
  readonly video: ModalityInputs | null;
  readonly audio: ModalityInputs | null;
}

/** Velocities `[B, T, C]` as the transformer returns them, references included; null for a modality that it was not given. */
export interface Velocities {
  readonly video: Tensor | null;
  readonly audio: Tensor | null;
}

/** What the step's own call of the model returns. */
export interface Prediction extends Velocities {
  /** The strategy's `outputs` by name, `[B, T, hidden or features]`, target tokens only. */
  readonly outputs: Readonly<Record<string, Tensor>>;
}

// -------------------------------------------------------------------------------------------------------------------- step

/** What the trainer, the metrics and `ltxc inspect` may look at of a generated modality; target tokens only. */
export interface GeneratedModality {
  /** `[B, T, C]`, what the prediction should be */
  readonly target: Tensor;
  /** bool `[B, T]`: true where the token is noised, that is not kept */
  readonly generated: Tensor;
}

/** What `prepare` hands to the model and to `loss`. `Values` are the strategy's own named values that its loss needs. */
export interface Prepared<Values = unknown> {
  readonly inputs: ModelInputs;
  readonly video: GeneratedModality | null;
  readonly audio: GeneratedModality | null;
  /** bool `[B]` for each of the strategy's `undecided` terms: whether its region covers tokens that are kept clean. */
  readonly overlaps: Readonly<Record<string, Tensor>>;
  readonly values: Values;
}

/** Loss terms by name, each float32 `[B]`; their sum is the sample's loss. */
export type LossTerms = Readonly<Record<string, Tensor>>;

/** Sizes of a source in latent cells; 0 for what its kind does not have. */
export interface SourceSizes extends VideoGrid {
  readonly steps: number;
}

/** Of a batch's sources, whose samples all have the same. */
export type Sizes<Sources = Readonly<Record<string, unknown>>> = { readonly [Name in keyof Sources]: SourceSizes };

/** A compiled strategy: the exports of its module. Pure functions: no hidden state, no reading back, no data-dependent shapes. */
export interface Step<Params = unknown, Sources = unknown, Values = unknown> {
  readonly strategy: StrategyInfo;
  prepare(ctx: StepContext<Params>, batch: Batch<Sources>): Prepared<Values>;
  loss(ctx: StepContext<Params>, prepared: Prepared<Values>, prediction: Prediction): LossTerms;
  /** Text for the checkpoint's metadata; the same for every batch of a run. */
  metadata(params: Params, sizes: Sizes<Sources>): Readonly<Record<string, string>>;
  /**
   * In builds for `ltxc inspect` and `ltxc test` only: the strategy's named values by key (`video.keep`, `inpaint`) and what it
   * expects (`expect[0]`), as a value: a number, a list with one for each sample, or a tensor.
   */
  probe?(ctx: StepContext<Params>, prepared: Prepared<Values>, prediction: Prediction): Probe;
}

export type Probe = Readonly<Record<string, Tensor | number | boolean | readonly number[]>>;
