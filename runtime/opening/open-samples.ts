import { drawableSamples, type DrawableSample, type RunConfig } from "../config/index.ts";
import { isPixels } from "../config/rules/drawable.ts";
import type { StrategyInfo } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { judgeFile } from "../files/kinds/index.ts";
import { openSafetensors, type SafetensorsFile } from "../files/safetensors/index.ts";
import { fail, FindingsError, together, type Finding } from "../findings.ts";
import { findFfmpeg, installFfmpeg } from "../media/ffmpeg.ts";
import { examineLatentDecoder } from "../media/vae/latent-decoder.ts";
import { examineEncoder } from "../media/vae/video-vae.ts";
import type { ExaminedModel } from "../model/checkpoint.ts";
import { checkTextShape } from "../model/embeddings.ts";
import { createPositions } from "../model/positions.ts";
import type { TrainableModel } from "./open-model.ts";
import type { SampleSource } from "../training/run-inputs.ts";
import { baseKeyOf, hasBaseSample } from "../sampling/base-sample.ts";
import { openSampleDecoder, type SampleDecoder } from "../sampling/decoded-sample.ts";
import { drawSample, type SampledModel } from "../sampling/draw.ts";
import { checkedPixels, encodedPixels, type PixelConditions } from "../sampling/pixels.ts";
import type { SamplePlan } from "../sampling/sample-plan.ts";
import { castOf, readSamplePlan, type SamplingModel } from "../sampling/read-sample.ts";
import { writeSample, type DrawnSample } from "../sampling/write-sample.ts";

type Fitted = Pick<ExaminedModel, "config" | "scaleFactors">;

function modelOf(
  { modalities }: StrategyInfo,
  { config, scaleFactors }: Fitted,
  pixels: PixelConditions,
): SamplingModel {
  const streams = { video: modalities.video !== null, audio: modalities.audio !== null };
  return { config, streams, scaleFactors, positions: createPositions(scaleFactors), pixels };
}

/** The file with the video VAE of a run, and the setting that names it. */
function vaeOf({ model }: RunConfig): { readonly path: string; readonly place: Finding["path"] } {
  return model.video_vae_path === null
    ? { path: model.model_path, place: ["model", "model_path"] }
    : { path: model.video_vae_path, place: ["model", "video_vae_path"] };
}

/**
 * Reads the files of all samples that can be drawn, and looks whether they fit each other, the strategy and the model.
 * Errors: FindingsError with everything that is wrong, LTX6008, LTX6213, LTX6330 to LTX6333, LTX61xx, LTX6820 to LTX6824, LTX6830.
 * @returns warnings, also LTX6831 and LTX6832 where samples will not be seen as videos
 */
export async function checkSamples(
  config: RunConfig,
  strategy: StrategyInfo,
  examined: ExaminedModel,
): Promise<readonly Finding[]> {
  const warnings: Finding[] = [];
  const channels = examined.config.video?.inChannels ?? 0;
  const pixels = checkedPixels(channels, examined.scaleFactors, (finding) => void warnings.push(finding));
  const model = modelOf(strategy, examined, pixels);
  const samples = drawableSamples(config);
  if (samples.length === 0) return [];
  const names = generated(config, model);
  await together([
    ...samples.map((sample) => async () => {
      const plan = await readSamplePlan(config, sample, model);
      checkText(plan, examined, ["validation", "samples", sample.index, "conditions_file"]);
    }),
    () => checkGuidance(config, names, model.config.layers),
    () => checkEncoder(config, samples, channels),
  ]);
  const frames = Math.max(...samples.map((sample) => (sample.video_dims ?? config.validation.video_dims)[2] ?? 0));
  return names.includes("video")
    ? [...warnings, ...(await decoderWarnings(vaeOf(config), channels, frames))]
    : warnings;
}

/** Errors: FindingsError LTX6830 where pixels would have to be encoded and there is no encoder for it. */
async function checkEncoder(config: RunConfig, samples: readonly DrawableSample[], channels: number): Promise<void> {
  const [first] = samples.flatMap(({ conditions, index }) =>
    conditions.flatMap((condition, i) => {
      const path = condition.image_or_video ?? condition.video;
      const place: Finding["path"] = ["validation", "samples", index, "conditions", i];
      return path !== undefined && isPixels(path) ? [{ path, place }] : [];
    }),
  );
  if (first === undefined) return;
  const { path } = vaeOf(config);
  const reason = await reasonAgainst(path, (file) => examineEncoder(file).config.latentChannels, channels);
  if (reason === null) return;
  const help =
    "name the file of the video VAE in `model.video_vae_path`, or the `.pt` file that preprocessing made of the clip";
  fail("LTX6830", `${first.path} would have to be encoded, but ${reason}`, help, first.place);
}

/** Why a file's half of a VAE can not be used with latents of so many channels; null where it can. */
async function reasonAgainst(
  path: string,
  channelsIn: (file: SafetensorsFile) => number,
  channels: number,
): Promise<string | null> {
  const unfit = await judgeFile(path, "video-vae", []);
  if (unfit !== null) return unfit.message;
  const file = await openSafetensors(path);
  try {
    const found = channelsIn(file);
    return found === channels
      ? null
      : `the VAE in ${path} has latents of ${found} channels, and the model of ${channels}`;
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings[0]?.message ?? null;
  } finally {
    await file.close();
  }
}

async function decoderWarnings(
  { path, place }: ReturnType<typeof vaeOf>,
  channels: number,
  frames: number,
): Promise<Finding[]> {
  const reason = await reasonAgainst(path, (file) => examineLatentDecoder(file).latentChannels, channels);
  const warning = { severity: "warning", path: place } as const;
  if (reason !== null) {
    const message = `samples will be pictures of their latents, not videos, since ${reason}`;
    const help =
      "name the file of the video VAE in `model.video_vae_path`; `ltxc decode` makes videos of the samples later, too";
    return [{ code: "LTX6831", ...warning, message, help }];
  }
  if (frames === 1 || findFfmpeg() !== null) return [];
  const message = "samples will be pictures of five frames, not videos, since the program `ffmpeg` is not installed";
  return [{ code: "LTX6832", ...warning, message, help: `install it: ${installFfmpeg}` }];
}

function checkText(
  { text, negative, video, audio }: SamplePlan,
  { connectors }: ExaminedModel,
  place: Finding["path"],
) {
  const files = [
    { features: text, path: place },
    { features: negative, path: ["validation", "negative_conditions_file"] },
  ];
  for (const { features, path } of files) {
    if (features === null) continue;
    try {
      const [tokens = 0, channels = 0] = features.video.shape;
      if (video !== null) checkTextShape("video", connectors.video, tokens, channels);
      const width = features.audio?.shape[1];
      if (audio !== null && width === undefined) {
        fail(
          "LTX6214",
          "the text embeddings lack `audio_prompt_embeds`",
          "preprocess the caption with this checkpoint",
        );
      }
      if (audio !== null && connectors.audio !== null) checkTextShape("audio", connectors.audio, tokens, width ?? 0);
    } catch (error) {
      if (!(error instanceof FindingsError)) throw error;
      throw new FindingsError(error.findings.map((finding) => ({ ...finding, path })));
    }
  }
}

/** The modalities that some sample generates. */
function generated(config: RunConfig, model: SamplingModel): readonly ("video" | "audio")[] {
  const casts = drawableSamples(config).flatMap((sample) => {
    try {
      return [castOf(config, sample, model)];
    } catch (error) {
      // Reading the sample says so.
      if (error instanceof FindingsError) return [];
      throw error;
    }
  });
  return (["video", "audio"] as const).filter((name) => casts.some((cast) => cast[name] && cast.frozen !== name));
}

function checkGuidance({ validation }: RunConfig, names: readonly ("video" | "audio")[], layers: number): void {
  const findings: Finding[] = [];
  for (const name of names) {
    const key = `${name}_cfg_scale` as const;
    if (validation[key] === 1 || validation.negative_conditions_file !== null) continue;
    const message = `\`${key}: ${validation[key]}\` leads away from a negative caption, and there is none`;
    const help = `write \`negative_conditions_file:\` with a file of \`conditions/\`, or \`${key}: 1\``;
    findings.push({ code: "LTX6008", severity: "error", path: ["validation", key], message, help });
  }
  const beyond = (validation.stg_blocks ?? []).filter((block) => block >= layers);
  if (beyond.length > 0 && names.some((name) => validation[`${name}_stg_scale`] !== 0)) {
    const message = `\`stg_blocks\` names block ${beyond.join(", ")}, and the model has ${layers}, counted from 0`;
    const help = "write others, `null` for all, or `video_stg_scale: 0` and `audio_stg_scale: 0`";
    findings.push({ code: "LTX6333", severity: "error", path: ["validation", "stg_blocks"], message, help });
  }
  if (findings.length > 0) throw new FindingsError(findings);
}

type Sampled = Pick<
  TrainableModel,
  "config" | "scaleFactors" | "embeddings" | "velocities" | "baseVelocities" | "sampledWeight"
>;

/**
 * Draws the samples of a run config; null where it has none that can be drawn.
 * @param base tells base models apart, and how their weights are held
 */
export function openSamples(
  engine: Engine,
  config: RunConfig,
  strategy: StrategyInfo,
  trained: Sampled,
  base: string,
): SampleSource | null {
  const samples = drawableSamples(config);
  if (samples.length === 0) return null;
  const vae = vaeOf(config);
  const pixels = encodedPixels(engine, vae.path, trained.scaleFactors);
  const model = modelOf(strategy, trained, pixels);
  const { embeddings, velocities, sampledWeight } = trained;
  const inserted = (modality: "video" | "audio") =>
    (strategy.modalities[modality]?.inserted ?? []).map((name) => sampledWeight(`${name}.${modality}`));
  const hasInserted = (["video", "audio"] as const).some((modality) => inserted(modality).length > 0);
  const sampled = { engine, embeddings, velocities, inserted, layers: trained.config.layers };
  const given = { channels: trained.config.video?.inChannels ?? 0, seed: config.validation.seed };
  const decoder = decoderOnDemand(engine, vae, given);
  const planOf = (index: number) => {
    const sample = samples[index];
    if (sample === undefined) throw new RangeError(`there is no sample ${index}`);
    // Read anew each time: between two drawings the training needs the memory.
    return readSamplePlan(config, sample, model);
  };
  const write = async (sample: DrawnSample) =>
    writeSample(config.output_dir, sample, sample.drawn.video && (await decoder.open()));
  const baseIsThere = new Set<number>();
  return {
    count: samples.length,
    async prepare() {
      try {
        // Encodes what is given as pixels, which later drawings meet again.
        for (const sample of samples) await readSamplePlan(config, sample, model);
      } finally {
        pixels.release();
      }
    },
    async draw(index, { globalStep, isUntrained }, signal) {
      const plan = await planOf(index);
      const drawn = await drawSample(sampled, plan, config.validation, signal);
      // Adapters that change nothing yet, and weights that no step has changed, draw as the base model does.
      const isBase = isUntrained && !hasInserted;
      const baseKey = isBase ? baseKeyOf(base, plan, config.validation) : null;
      if (drawn === null) return null;
      const path = await write({ plan, drawn, globalStep, baseKey });
      if (isBase) baseIsThere.add(index);
      return path;
    },
    drawBase: baseDrawing({ sampled, trained, base, config, planOf, write, isThere: baseIsThere }),
    release() {
      pixels.release();
      decoder.release();
    },
  };
}

interface BaseDrawing {
  readonly sampled: SampledModel;
  readonly trained: Sampled;
  readonly base: string;
  readonly config: RunConfig;
  planOf(index: number): Promise<SamplePlan>;
  write(sample: DrawnSample): Promise<string>;
  /** Indices of samples that the base model has drawn. */
  readonly isThere: Set<number>;
}

function baseDrawing(given: BaseDrawing): SampleSource["drawBase"] {
  const { sampled, trained, base, config, planOf, write, isThere } = given;
  return async (index, { isUntrained }, signal) => {
    const velocities = trained.baseVelocities ?? (isUntrained ? trained.velocities : null);
    if (velocities === null || isThere.has(index)) return null;
    const plan = await planOf(index);
    const baseKey = baseKeyOf(base, plan, config.validation);
    const model = { ...sampled, velocities, inserted: () => [] };
    const isKept = await hasBaseSample(config.output_dir, plan.number, baseKey);
    const drawn = isKept ? null : await drawSample(model, plan, config.validation, signal);
    const path = drawn && (await write({ plan, drawn, globalStep: null, baseKey }));
    if (isKept || path !== null) isThere.add(index);
    return path;
  };
}

/** The decoder of a run while samples are drawn: opened for the first one, and freed when the training needs the memory again. */
function decoderOnDemand(
  engine: Engine,
  vae: ReturnType<typeof vaeOf>,
  given: Parameters<typeof openSampleDecoder>[2],
) {
  let opened: Promise<SampleDecoder | null> | null = null;
  return {
    open: () => (opened ??= openSampleDecoder(engine, vae.path, given)),
    release() {
      void opened?.then((decoder) => decoder?.dispose());
      opened = null;
    },
  };
}
