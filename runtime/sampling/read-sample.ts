import type { DrawableSample, RunConfig, ValidationCondition } from "../config/index.ts";
import { isPixels } from "../config/rules/drawable.ts";
import { frozenModality, modalityOf, type Modality } from "../config/rules/samples.ts";
import type { Positions, ScaleFactors, VideoGrid } from "../contract.ts";
import { withEntries } from "../data/entries.ts";
import {
  readSource,
  type HostSource,
  type HostTextFeatures,
  type HostTokenMask,
  type HostVideoLatents,
} from "../data/sample.ts";
import { fail, FindingsError, type Finding } from "../findings.ts";
import type { TransformerConfig } from "../model/config.ts";
import { together } from "../findings.ts";
import { audioStepsPerSecond, giveAudio, giveVideo, referenceTokens, type ReadCondition } from "./conditions.ts";
import type { PixelConditions, Wanted } from "./pixels.ts";
import type { AudioPlan, SamplePlan, VideoPlan } from "./sample-plan.ts";
import { emptyTarget, streamOf } from "./target.ts";
import { audioTokens } from "./tokens.ts";

/** What samples must fit. */
export interface SamplingModel {
  readonly config: TransformerConfig;
  /** What the strategy feeds, and so what is loaded. */
  readonly streams: Readonly<Record<Modality, boolean>>;
  readonly scaleFactors: ScaleFactors;
  readonly positions: Positions;
  readonly pixels: PixelConditions;
}

/** Which modalities a sample has, and which of them is given whole. */
interface Cast {
  readonly video: boolean;
  readonly audio: boolean;
  readonly frozen: Modality | null;
}

/** Official audio latents have 8 channels; a token holds all of them with all their bins. */
const melBins = (width: number): number => (width % 8 === 0 ? width / 8 : width);

/** What takes part in a sample. Errors: FindingsError LTX6332 where nothing is generated, or something that the run does not feed. */
export function castOf({ validation }: RunConfig, sample: DrawableSample, { streams }: SamplingModel): Cast {
  const frozen = frozenModality(sample);
  const place: Finding["path"] = ["validation", "samples", sample.index];
  const takesPart = (name: Modality) => streams[name] && (validation[`generate_${name}`] || frozen === name);
  const cast = { video: takesPart("video"), audio: takesPart("audio"), frozen };
  for (const [i, condition] of sample.conditions.entries()) {
    const about = modalityOf(condition);
    if (cast[about]) continue;
    const why = streams[about] ? `\`generate_${about}\` is false` : `the strategy feeds no ${about} to the model`;
    fail("LTX6332", `\`${condition.type}\` is about ${about}, but ${why}`, "remove the condition", [
      ...place,
      "conditions",
      i,
    ]);
  }
  if ((["video", "audio"] as const).some((name) => cast[name] && frozen !== name)) return cast;
  const help = "set `generate_video` or `generate_audio` to what the strategy feeds, or remove the sample";
  return fail("LTX6332", "nothing is left to generate in this sample", help, place);
}

/**
 * Reads all files of a sample and lays them out in tokens.
 * Errors: FindingsError LTX61xx for files that can not be read, LTX6330 to LTX6332 for what does not fit, each at its place in the
 * run config.
 */
export async function readSamplePlan(
  config: RunConfig,
  sample: DrawableSample,
  model: SamplingModel,
): Promise<SamplePlan> {
  const { validation } = config;
  const cast = castOf(config, sample, model);
  const grid = gridOf(config, sample, model.scaleFactors, cast.video);
  const steps = cast.audio ? audioStepsOf(config, sample) : 0;
  const { negative_conditions_file: path } = validation;
  const [text, negative, video, audio] = await together([
    () => readText(sample.conditions_file, ["validation", "samples", sample.index, "conditions_file"]),
    () => (path === null ? null : readText(path, ["validation", "negative_conditions_file"])),
    () => (cast.video ? videoPlan(config, sample, model, grid) : null),
    () => (cast.audio ? audioPlan(sample, model, steps) : null),
  ]);
  return { number: sample.index + 1, seed: sample.seed ?? validation.seed, text, negative, video, audio };
}

const dimsOf = ({ validation }: RunConfig, sample: DrawableSample) => sample.video_dims ?? validation.video_dims;
const framesOf = (config: RunConfig, sample: DrawableSample): number => dimsOf(config, sample)[2] ?? 0;

function gridOf(config: RunConfig, sample: DrawableSample, scale: ScaleFactors, isVideo: boolean): VideoGrid {
  const [width = 0, height = 0, frames = 0] = dimsOf(config, sample);
  const grid = {
    frames: (frames - 1) / scale.time + 1,
    height: height / scale.height,
    width: width / scale.width,
  };
  const owner = sample.video_dims === null ? ["validation"] : ["validation", "samples", sample.index];
  const place = [...owner, "video_dims"];
  const tokens = grid.frames * grid.height * grid.width;
  if (isVideo && tokens > mostTokens) refuseSize(`${width} x ${height} pixels and ${frames} frames`, tokens, place);
  if (!isVideo || Object.values(grid).every(Number.isInteger)) return grid;
  const help = `width is a multiple of ${scale.width}, height of ${scale.height}, and frames are ${scale.time} n + 1`;
  const message = `${width} x ${height} pixels and ${frames} frames do not divide into latent cells`;
  return fail("LTX6330", message, help, place);
}

/** What memory would be asked for before the model is: more than any sampler can attend to. */
const mostTokens = 2 ** 22;

function refuseSize(what: string, tokens: number, place: Finding["path"]): never {
  const message = `${what} are ${Math.ceil(tokens).toLocaleString("en")} tokens, and a sample has at most ${mostTokens.toLocaleString("en")}`;
  return fail("LTX6330", message, "write smaller numbers", place);
}

/** Audio tokens of a sample. @throws FindingsError LTX6330 where they are too many */
function audioStepsOf(config: RunConfig, sample: DrawableSample): number {
  const { frame_rate } = config.validation;
  const frames = framesOf(config, sample);
  const steps = Math.round((audioStepsPerSecond * frames) / frame_rate);
  if (steps <= mostTokens) return steps;
  return refuseSize(`${frames} frames at \`frame_rate: ${frame_rate}\``, steps, ["validation", "frame_rate"]);
}

/** Findings of a file are about the setting that names it. */
async function at<Value>(place: Finding["path"], read: () => Promise<Value> | Value): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    throw new FindingsError(error.findings.map((finding) => ({ ...finding, path: place })));
  }
}

async function readFile<Kind extends HostSource["kind"]>(
  path: string,
  kind: Kind,
  channels: number | null,
): Promise<Extract<HostSource, { kind: Kind }>> {
  const source = await withEntries(path, (entries) => readSource(entries, { kind }, channels));
  return source as Extract<HostSource, { kind: Kind }>;
}

const readText = (path: string, place: Finding["path"]): Promise<HostTextFeatures> =>
  at(place, () => readFile(path, "text_embeddings", null));

interface Readers<Latents> {
  latents(condition: ValidationCondition, path: string): Promise<Latents>;
  mask(path: string): Promise<HostTokenMask>;
}

/** The conditions about a modality with their files. */
async function readConditions<Latents>(
  sample: DrawableSample,
  modality: Modality,
  { latents: readLatents, mask: readMask }: Readers<Latents>,
): Promise<ReadCondition<Latents>[]> {
  const read: ReadCondition<Latents>[] = [];
  for (const [i, condition] of sample.conditions.entries()) {
    if (modalityOf(condition) !== modality) continue;
    const place: Finding["path"] = ["validation", "samples", sample.index, "conditions", i];
    const latents = await at(place, () => readLatents(condition, mediumOf(condition)));
    const path = condition.type === "mask" ? condition.mask : undefined;
    const mask = path === undefined ? null : await at(place, () => readMask(path));
    read.push({ condition, place, latents, mask });
  }
  return read;
}

/** Latents are read as they are, and pixels encoded for the sample. */
function videoReaders({ config, scaleFactors, pixels }: SamplingModel, grid: VideoGrid): Readers<HostVideoLatents> {
  return {
    latents: (condition, path) =>
      isPixels(path)
        ? pixels.latents(path, wantedOf(condition, grid, scaleFactors))
        : readFile(path, "video_latents", config.video?.inChannels ?? 0),
    mask: (path) => (isPixels(path) ? pixels.mask(path, grid) : readFile(path, "video_mask", null)),
  };
}

/** How large, and of how many frames, a condition is encoded. A beginning is cut before it is encoded, an end after. */
function wantedOf(condition: ValidationCondition, grid: VideoGrid, scale: ScaleFactors): Wanted {
  const [height, width] = [grid.height * scale.height, grid.width * scale.width];
  const frames = 1 + (grid.frames - 1) * scale.time;
  const { type, num_frames, downscale_factor: space = 1, temporal_scale_factor: every = 1 } = condition;
  if (type === "first_frame") return { height, width, frames: 1, every: 1 };
  if (type === "prefix") return { height, width, frames: Math.min(num_frames ?? frames, frames), every: 1 };
  if (type !== "reference") return { height, width, frames, every: 1 };
  const [rows, columns] = [grid.height / space, grid.width / space];
  if (Number.isInteger(rows) && Number.isInteger(columns))
    return { height: height / space, width: width / space, frames, every };
  const help = "choose `video_dims` whose latent cells can be divided by it, or a smaller factor";
  return fail(
    "LTX6331",
    `\`downscale_factor: ${space}\` does not divide ${grid.width} x ${grid.height} latent cells`,
    help,
  );
}

const mediumOf = ({ image_or_video, video, audio }: ValidationCondition): string =>
  image_or_video ?? video ?? audio ?? "";

async function videoPlan(
  { validation }: RunConfig,
  sample: DrawableSample,
  model: SamplingModel,
  grid: VideoGrid,
): Promise<VideoPlan> {
  const { config, scaleFactors, positions } = model;
  const channels = config.video?.inChannels ?? 0;
  const fps = validation.frame_rate;
  const target = emptyTarget(grid.frames * grid.height * grid.width, channels);
  const conditions = await readConditions(sample, "video", videoReaders(model, grid));
  const references = conditions.filter(({ condition }) => condition.type === "reference");
  for (const read of conditions) if (!references.includes(read)) giveVideo(target, grid, read, scaleFactors);
  const tokens = references.map((read) => referenceTokens(read, grid));
  const placed = references.map(({ condition, latents: { frames, height, width } }) => {
    return { frames, height, width, fps: [fps / (condition.temporal_scale_factor ?? 1)] };
  });
  const stream = streamOf(target, tokens, {
    positions: positions.video(grid, [fps], placed),
    frozen: frozenModality(sample) === "video",
    firstFrame: grid.height * grid.width,
  });
  const shown = references.filter(({ condition }) => condition.include_in_output === true);
  return { ...stream, grid, fps, shown: shown.map(({ latents }) => latents.latents) };
}

async function audioPlan(
  sample: DrawableSample,
  { config, positions }: SamplingModel,
  steps: number,
): Promise<AudioPlan> {
  const width = config.audio?.inChannels ?? 0;
  const target = emptyTarget(steps, width);
  const conditions = await readConditions(sample, "audio", {
    latents: (_, path) => readFile(path, "audio_latents", width),
    mask: (path) => readFile(path, "audio_mask", null),
  });
  const references = conditions.filter(({ condition }) => condition.type === "reference");
  for (const read of conditions) if (!references.includes(read)) giveAudio(target, read);
  const stream = streamOf(
    target,
    references.map(({ latents }) => audioTokens(latents.latents)),
    {
      positions: positions.audio(
        steps,
        1,
        references.map(({ latents }) => latents.steps),
      ),
      frozen: frozenModality(sample) === "audio",
      firstFrame: null,
    },
  );
  const mel = conditions[0]?.latents.latents.shape[2] ?? melBins(width);
  return { ...stream, steps, mel };
}
