import { drawableSamples, type RunConfig } from "../config/index.ts";
import type { StrategyInfo } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { fail, FindingsError, type Finding } from "../findings.ts";
import type { ExaminedModel } from "../model/checkpoint.ts";
import { checkTextShape } from "../model/embeddings.ts";
import { createPositions } from "../model/positions.ts";
import type { TrainableModel } from "./open-model.ts";
import { together } from "../findings.ts";
import type { SampleSource } from "../training/run-inputs.ts";
import { openSampleDecoder } from "../sampling/decoded-sample.ts";
import { drawSample } from "../sampling/draw.ts";
import type { SamplePlan } from "../sampling/sample-plan.ts";
import { castOf, readSamplePlan, type SamplingModel } from "../sampling/read-sample.ts";
import { writeSample } from "../sampling/write-sample.ts";

type Fitted = Pick<ExaminedModel, "config" | "scaleFactors">;

function modelOf({ modalities }: StrategyInfo, { config, scaleFactors }: Fitted): SamplingModel {
  const streams = { video: modalities.video !== null, audio: modalities.audio !== null };
  return { config, streams, scaleFactors, positions: createPositions(scaleFactors) };
}

/**
 * Reads the files of all samples that can be drawn, and looks whether they fit each other, the strategy and the model.
 * Errors: FindingsError with everything that is wrong, LTX6008, LTX6213, LTX6330 to LTX6333, LTX61xx.
 */
export async function checkSamples(config: RunConfig, strategy: StrategyInfo, examined: ExaminedModel): Promise<void> {
  const model = modelOf(strategy, examined);
  const samples = drawableSamples(config);
  if (samples.length === 0) return;
  await together([
    ...samples.map((sample) => async () => {
      const plan = await readSamplePlan(config, sample, model);
      checkText(plan, examined, ["validation", "samples", sample.index, "conditions_file"]);
    }),
    () => checkGuidance(config, generated(config, model), model.config.layers),
  ]);
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

/** Draws the samples of a run config; null where it has none that can be drawn. */
export function openSamples(
  engine: Engine,
  config: RunConfig,
  strategy: StrategyInfo,
  trained: Pick<TrainableModel, "config" | "scaleFactors" | "embeddings" | "velocities" | "sampledWeight">,
): SampleSource | null {
  const samples = drawableSamples(config);
  if (samples.length === 0) return null;
  const model = modelOf(strategy, trained);
  const { embeddings, velocities, sampledWeight } = trained;
  const inserted = (modality: "video" | "audio") =>
    (strategy.modalities[modality]?.inserted ?? []).map((name) => sampledWeight(`${name}.${modality}`));
  const sampled = { engine, embeddings, velocities, inserted, layers: trained.config.layers };
  return {
    count: samples.length,
    async draw(index, globalStep, signal) {
      const sample = samples[index];
      if (sample === undefined) throw new RangeError(`there is no sample ${index}`);
      // Read anew each time: between two drawings the training needs the memory.
      const plan = await readSamplePlan(config, sample, model);
      const drawn = await drawSample(sampled, plan, config.validation, signal);
      if (drawn === null) return null;
      const channels = drawn.video?.shape[0];
      const decoder = channels === undefined ? null : await openSampleDecoder(engine, config, channels);
      try {
        return await writeSample(config.output_dir, globalStep, plan, drawn, decoder);
      } finally {
        decoder?.dispose();
      }
    },
  };
}
