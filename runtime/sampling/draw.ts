import { setImmediate as nextTurn } from "node:timers/promises";
import type { ValidationConfig } from "../config/index.ts";
import type { HostTensor, ModalityInputs, ModelInputs, Tensor, Velocities } from "../contract.ts";
import type { HostTextFeatures } from "../data/sample.ts";
import type { Engine } from "../engine/engine.ts";
import type { EmbeddingsProcessor, TextContexts } from "../model/embeddings.ts";
import type { Perturbation } from "../model/transformer.ts";
import { normal } from "../random/philox.ts";
import type { StopSignal } from "../training/run-inputs.ts";
import { cleanGuess, eulerStep, guide, neutral, type Guesses, type Levels, type Scales } from "./guidance.ts";
import type { SamplePlan, StreamPlan } from "./sample-plan.ts";
import { sigmaSchedule } from "./noise-schedule.ts";
import { audioLatents, videoLatents } from "./tokens.ts";

/** A model as it is sampled from: with its adapters, without gradients. */
export interface SampledModel {
  readonly engine: Engine;
  readonly embeddings: EmbeddingsProcessor;
  /** Transformer blocks. */
  readonly layers: number;
  velocities(inputs: ModelInputs, perturbation?: Perturbation): Velocities;
  /** Trained tokens `[N, D]` of the strategy's own that stand in front of a caption's. */
  inserted(modality: "video" | "audio"): readonly Tensor[];
}

/** What was generated: `[C, F, H, W]` and `[C, T, mel]`; null for what the sample was given or does not have. */
export interface Drawn {
  readonly video: HostTensor | null;
  readonly audio: HostTensor | null;
}

type Streams<Value> = Readonly<Record<"video" | "audio", Value | null>>;

/** One modality on the device. */
interface State {
  readonly plan: StreamPlan;
  readonly clean: Tensor;
  readonly denoise: Tensor;
  readonly scales: Scales;
  /** `[1, T, C]`, goes from noise to the sample. */
  latent: Tensor;
}

/**
 * Draws a sample by Euler's method with guidance. The result depends on the weights, the plan and its seed alone.
 * @returns null where `signal` was aborted meanwhile
 */
export async function drawSample(
  model: SampledModel,
  plan: SamplePlan,
  settings: ValidationConfig,
  signal?: StopSignal,
): Promise<Drawn | null> {
  const { engine } = model;
  const made: Tensor[] = [];
  const contexts = (features: HostTextFeatures, inserted = nothing): TextContexts => {
    const text = contextsOf(model, features, inserted);
    made.push(...[text.video, text.audio, text.mask].flatMap((x) => x ?? []));
    return text;
  };
  let states: Streams<State> = { video: null, audio: null };
  try {
    const texts = { positive: contexts(plan.text, model.inserted), negative: plan.negative && contexts(plan.negative) };
    states = { video: begin(engine, plan, "video", settings), audio: begin(engine, plan, "audio", settings) };
    const sigmas = sigmaSchedule(settings.inference_steps);
    for (let i = 0; i < settings.inference_steps; i++) {
      // Engines may compute for minutes without a turn of the event loop, which Ctrl-C needs.
      await nextTurn();
      if (signal?.aborted === true) return null;
      step(model, states, texts, { sigma: sigmas[i] ?? 0, next: sigmas[i + 1] ?? 0 }, settings);
    }
    return await result(engine, plan, states);
  } finally {
    for (const state of [states.video, states.audio]) {
      if (state !== null) engine.dispose(state.latent, state.clean, state.denoise);
    }
    engine.dispose(...made);
  }
}

/** Noise where something is generated, the given values elsewhere. */
function begin(engine: Engine, plan: SamplePlan, name: "video" | "audio", settings: ValidationConfig): State | null {
  const stream = plan[name];
  if (stream === null) return null;
  const { clean, denoise, references, frozen } = stream;
  const [, tokens = 0, channels = 0] = clean.shape;
  const given = clean.data;
  const noise = normal(
    { seed: plan.seed, step: 0, microBatch: 0, name: `sample.${name}` },
    (tokens - references) * channels,
  );
  const latent = Float32Array.from(given, (value, i) => {
    const isGenerated = !frozen && denoise.data[Math.floor(i / channels)] === 1;
    return isGenerated ? (noise[i - references * channels] ?? 0) : value;
  });
  return {
    plan: stream,
    clean: engine.keep(clean),
    denoise: engine.keep(frozen ? { ...denoise, data: new Float32Array(tokens) } : denoise),
    scales: frozen ? neutral : scalesOf(settings, name, plan.video !== null && plan.audio !== null),
    latent: engine.keep({ ...clean, data: latent }),
  };
}

function scalesOf(settings: ValidationConfig, name: "video" | "audio", hasBoth: boolean): Scales {
  return {
    cfg: settings[`${name}_cfg_scale`],
    stg: settings[`${name}_stg_scale`],
    modality: hasBoth ? settings[`${name}_modality_guidance_scale`] : 1,
  };
}

const nothing: SampledModel["inserted"] = () => [];

/** The connectors are part of the model, so the contexts are made anew only with a new sample. */
function contextsOf(
  { engine, embeddings }: SampledModel,
  text: HostTextFeatures,
  inserted: SampledModel["inserted"],
): TextContexts {
  const batch = (x: HostTensor): HostTensor => ({ ...x, shape: [1, ...x.shape] });
  const { ops } = engine;
  const after = (modality: "video" | "audio", x: Tensor | null): Tensor | null => {
    const tokens = inserted(modality).map((weight) => ops.reshape(weight, [1, ...weight.shape]));
    return x === null || tokens.length === 0 ? x : ops.concat([...tokens, x], 1);
  };
  return engine.tidy(() => {
    const made = embeddings.run({
      video: batch(text.video),
      audio: text.audio === null ? null : batch(text.audio),
      mask: batch(text.mask),
    });
    return { ...made, video: after("video", made.video) ?? made.video, audio: after("audio", made.audio) };
  });
}

interface Texts {
  readonly positive: TextContexts;
  readonly negative: TextContexts | null;
}

function step(
  model: SampledModel,
  states: Streams<State>,
  texts: Texts,
  { sigma, next: following }: { readonly sigma: number; readonly next: number },
  settings: ValidationConfig,
): void {
  const { engine } = model;
  const next = engine.tidy(() => {
    const { ops } = engine;
    const level = (value: number) => ops.constant({ shape: [1], dtype: "float32", data: Float32Array.of(value) });
    const levels: Levels = { sigma: level(sigma), change: level(following - sigma) };
    const guesses = guess(model, states, texts, levels.sigma, settings);
    const moved = (name: "video" | "audio"): Tensor | null => {
      const [state, own] = [states[name], guesses[name]];
      if (state === null || own === null) return null;
      const guided = guide(ops, own, state.scales, settings.guidance_rescale);
      const kept = ops.mul(ops.sub(1, state.denoise), state.clean);
      return eulerStep(ops, state.latent, ops.add(ops.mul(state.denoise, guided), kept), levels);
    };
    return { video: moved("video"), audio: moved("audio") };
  });
  for (const name of ["video", "audio"] as const) {
    const [state, latent] = [states[name], next[name]];
    if (state === null || latent === null) continue;
    engine.dispose(state.latent);
    state.latent = latent;
  }
}

/** The model's guesses at the clean sample, each from as few passes as the scales need. */
function guess(
  model: SampledModel,
  states: Streams<State>,
  { positive, negative }: Texts,
  sigma: Tensor,
  { stg_blocks }: ValidationConfig,
): Streams<Guesses> {
  const { ops } = model.engine;
  const pass = (text: TextContexts, perturbation?: Perturbation): Streams<Tensor> => {
    const inputs = {
      video: inputsOf(model, states.video, text.video, sigma),
      audio: inputsOf(model, states.audio, text.audio, sigma),
    };
    const velocities = model.velocities(inputs, perturbation);
    const clean = (name: "video" | "audio"): Tensor | null => {
      const [state, velocity] = [states[name], velocities[name]];
      if (state === null || velocity === null) return null;
      return cleanGuess(ops, state.latent, velocity, ops.mul(state.denoise, sigma));
    };
    return { video: clean("video"), audio: clean("audio") };
  };
  const wants = (is: (scales: Scales) => boolean): boolean =>
    [states.video, states.audio].some((state) => state !== null && is(state.scales));
  const blocks = stg_blocks ?? Array.from({ length: model.layers }, (_, i) => i);
  const perturbed = (name: "video" | "audio") => ((states[name]?.scales.stg ?? 0) === 0 ? [] : blocks);
  const selfAttention = { video: perturbed("video"), audio: perturbed("audio") };
  const passes = {
    conditional: pass(positive),
    negative: negative !== null && wants(({ cfg }) => cfg !== 1) ? pass(negative) : null,
    perturbed: wants(({ stg }) => stg !== 0) ? pass(positive, { selfAttention, isolated: false }) : null,
    isolated: wants(({ modality }) => modality !== 1)
      ? pass(positive, { selfAttention: { video: [], audio: [] }, isolated: true })
      : null,
  };
  const of = (name: "video" | "audio"): Guesses | null => {
    const conditional = passes.conditional[name];
    if (conditional === null) return null;
    const other = (result: Streams<Tensor> | null): Tensor | null => result?.[name] ?? null;
    return {
      conditional,
      negative: other(passes.negative),
      perturbed: other(passes.perturbed),
      isolated: other(passes.isolated),
    };
  };
  return { video: of("video"), audio: of("audio") };
}

function inputsOf(
  { engine: { ops } }: SampledModel,
  state: State | null,
  context: Tensor | null,
  sigma: Tensor,
): ModalityInputs | null {
  if (state === null) return null;
  if (context === null) throw new Error("a modality without text features");
  const { plan, denoise, latent } = state;
  const tokens = latent.shape[1] ?? 0;
  return {
    latent,
    sigma: plan.frozen ? ops.fill([1], 0) : sigma,
    timesteps: ops.reshape(ops.mul(denoise, sigma), [1, tokens]),
    positions: plan.positions,
    context,
    // Registers have replaced the padding.
    contextMask: null,
    attentionMask: null,
    keyframesMask: plan.keyframes === null ? null : ops.constant(plan.keyframes),
    enabled: true,
  };
}

async function result(engine: Engine, { video, audio }: SamplePlan, states: Streams<State>): Promise<Drawn> {
  const target = async (state: State | null): Promise<HostTensor | null> => {
    if (state === null || state.plan.frozen) return null;
    const { data, shape } = await engine.read(state.latent);
    const [, tokens = 0, channels = 0] = shape;
    const { references } = state.plan;
    const own = data.subarray(references * channels) as Float32Array;
    return { shape: [tokens - references, channels], dtype: "float32", data: own };
  };
  const [videoTarget, audioTarget] = [await target(states.video), await target(states.audio)];
  return {
    video: videoTarget === null || video === null ? null : videoLatents(videoTarget, video.grid),
    audio: audioTarget === null || audio === null ? null : audioLatents(audioTarget, audio.mel),
  };
}
