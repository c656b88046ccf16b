import type { HostTensor, StorageType, VideoGrid } from "../contract.ts";
import { FindingsError } from "../findings.ts";
import type { Sample } from "./dataset.ts";
import type { DataSource } from "./directories.ts";
import { withEntries, type Entries, type FileTensor } from "./entries.ts";

/** `latents [C, F, H, W]` */
export interface HostVideoLatents extends VideoGrid {
  readonly kind: "video_latents";
  readonly latents: HostTensor;
  readonly storage: StorageType;
  readonly fps: number;
}

/** `latents [C, T, mel]` */
export interface HostAudioLatents {
  readonly kind: "audio_latents";
  readonly latents: HostTensor;
  readonly storage: StorageType;
  readonly steps: number;
}

/** Before the connectors: `video [S, D]`, `audio [S, D']`, `mask` int32 `[S]`, 1 = text, 0 = padding. */
export interface HostTextFeatures {
  readonly kind: "text_embeddings";
  readonly video: HostTensor;
  readonly audio: HostTensor | null;
  readonly mask: HostTensor;
}

/** `mask [T]`, one value per token */
export interface HostTokenMask {
  readonly kind: "video_mask" | "audio_mask";
  readonly mask: HostTensor;
}

/** `value`, axes as the strategy's source declares them */
interface HostTensorSource {
  readonly kind: "tensor";
  readonly value: HostTensor;
}

export type HostSource = HostVideoLatents | HostAudioLatents | HostTextFeatures | HostTokenMask | HostTensorSource;

/** One sample on the host, by role; numbers are float32 unless said otherwise. */
export interface HostSample {
  readonly name: string;
  readonly sources: Readonly<Record<string, HostSource>>;
  /** By optional source, whether the sample has it; of those that it lacks, `sources` holds a stand-in. */
  readonly marks?: Readonly<Record<string, boolean>>;
}

/** What the model takes per token, by role of the source that feeds it: C of video latents, C * mel of audio latents. */
type ExpectedChannels = Readonly<Record<string, number>>;

/** How the files of samples are opened. */
export type OpenEntries = <Result>(path: string, use: (entries: Entries) => Result) => Promise<Result>;

/**
 * Reads the files that a sample has; with `withDescription` for `open`, their headers alone.
 * Errors: FindingsError LTX61xx, of all its files at once: not readable (see `readPt`), LTX6130 (entry missing), LTX6131 (wrong type),
 * LTX6132 (wrong rank), LTX6133 (sizes disagree), LTX6134 (channels).
 */
export async function readSample(
  sample: Sample,
  sources: readonly DataSource[],
  channels: ExpectedChannels = {},
  open: OpenEntries = withEntries,
): Promise<HostSample> {
  const read = async (source: DataSource) => {
    const { role } = source;
    const file = sample.files[role];
    if (file === undefined) return [];
    const expected = Object.hasOwn(channels, role) ? (channels[role] ?? null) : null;
    return [[role, await open(file, (entries) => readSource(entries, source, expected))] as const];
  };
  const results = await Promise.allSettled(sources.map(read));
  throwAll(results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : [])));
  const pairs = results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  return { name: sample.name, sources: Object.fromEntries(pairs) };
}

function throwAll(errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  const foreign = errors.find((error) => !(error instanceof FindingsError));
  if (foreign !== undefined) throw foreign;
  throw new FindingsError(errors.flatMap((error) => (error as FindingsError).findings));
}

/** One file's entries as a source of the declared kind; `channels` per token, null for any. */
export function readSource(
  entries: Entries,
  source: Pick<DataSource, "kind" | "key" | "axes" | "range">,
  channels: number | null,
): HostSource {
  switch (source.kind) {
    case "video_latents":
      return readVideo(entries, channels);
    case "audio_latents":
      return readAudio(entries, channels);
    case "text_embeddings":
      return readText(entries);
    case "video_mask":
    case "audio_mask": {
      const mask = entries.tensor("mask");
      return { kind: source.kind, mask: host([mask.values.length], mask.values) };
    }
    case "tensor":
      return { kind: source.kind, value: readDeclared(entries, source) };
  }
}

const host = (shape: readonly number[], data: Float32Array): HostTensor => ({ shape, dtype: "float32", data });
const show = (shape: readonly (number | string)[]) => `[${shape.join(", ")}]`;

function readVideo(entries: Entries, channels: number | null): HostVideoLatents {
  const stored = entries.tensor("latents");
  const legacy = stored.shape.length === 2;
  if (!legacy && stored.shape.length !== 4) {
    const help = "video latents are [C, F, H, W] without a batch axis, or [F*H*W, C] from early preprocessing";
    entries.fail("LTX6132", `\`latents\` is ${show(stored.shape)}, expected four axes`, help);
  }
  const { shape, values } = legacy ? unpatchify(entries, stored) : stored;
  const [width, height, frames, found = 0] = shape.toReversed();
  const grid = { frames: frames ?? 0, height: height ?? 0, width: width ?? 0 };
  checkDeclared(entries, shape, { num_frames: grid.frames, height: grid.height, width: grid.width });
  checkChannels(entries, found, channels, `\`latents\` ${show(stored.shape)} has`);
  const fps = entries.number("fps") ?? 24;
  if (!(fps > 0 && fps < Infinity)) {
    entries.fail("LTX6131", `\`fps\` is ${fps}, expected a number above 0`, "store the video's frames per second");
  }
  return { kind: "video_latents", latents: host(shape, values), storage: stored.storage, ...grid, fps };
}

/** `[F*H*W, C]` of early preprocessing as `[C, F, H, W]`; its sizes are declared beside it. */
function unpatchify(entries: Entries, { shape, values }: FileTensor) {
  const size = (key: string): number => {
    const value = entries.number(key);
    if (value !== null && Number.isInteger(value) && value > 0) return value;
    const help = "latents [F*H*W, C] need `num_frames`, `height` and `width`, in latent cells";
    return value === null
      ? entries.fail("LTX6130", `\`${key}\` is missing`, help)
      : entries.fail("LTX6131", `\`${key}\` is ${value}, expected a whole number above 0`, help);
  };
  const grid = [size("num_frames"), size("height"), size("width")];
  const [tokens = 0, channels = 0] = shape;
  if (grid.reduce((a, b) => a * b, 1) !== tokens) {
    const message = `\`latents\` ${show(shape)} has ${tokens} tokens, but num_frames * height * width is ${grid.join(" * ")}`;
    entries.fail("LTX6133", message, "these count latent cells, not pixels");
  }
  const moved = new Float32Array(values.length);
  for (let token = 0; token < tokens; token++) {
    for (let c = 0; c < channels; c++) moved[c * tokens + token] = values[token * channels + c] as number;
  }
  return { shape: [channels, ...grid], values: moved };
}

function readAudio(entries: Entries, channels: number | null): HostAudioLatents {
  const { shape, storage, values } = entries.tensor("latents");
  if (shape.length !== 3) {
    const help = "audio latents are [C, T, mel] without a batch axis";
    entries.fail("LTX6132", `\`latents\` is ${show(shape)}, expected three axes`, help);
  }
  const [count = 0, steps = 0, mel = 0] = shape;
  checkDeclared(entries, shape, { num_time_steps: steps, frequency_bins: mel });
  checkChannels(entries, count * mel, channels, `\`latents\` ${show(shape)} has ${count} * ${mel} =`);
  return { kind: "audio_latents", latents: host(shape, values), storage, steps };
}

/** Sizes that the file declares must be those of the tensor; it need not declare them. */
function checkDeclared(entries: Entries, shape: readonly number[], sizes: Readonly<Record<string, number>>): void {
  for (const [key, actual] of Object.entries(sizes)) {
    const declared = entries.number(key);
    if (declared === null || declared === actual) continue;
    const message = `\`${key}\` is ${declared}, but \`latents\` ${show(shape)} has ${actual}`;
    entries.fail("LTX6133", message, "sizes count latent cells, not pixels; preprocess the sample again");
  }
}

function checkChannels(entries: Entries, found: number, expected: number | null, subject: string): void {
  if (expected === null || found === expected) return;
  const help = "preprocess the data with the autoencoder that belongs to the run's model";
  entries.fail("LTX6134", `${subject} ${found} channels per token, the model takes ${expected}`, help);
}

function readText(entries: Entries): HostTextFeatures {
  // Early preprocessing stored one set of features, which serves both modalities.
  const legacy = entries.has("prompt_embeds") && !entries.has("video_prompt_embeds");
  const mask = entries.tensor("prompt_attention_mask");
  if (mask.shape.length !== 1) {
    const message = `\`prompt_attention_mask\` is ${show(mask.shape)}, expected one axis`;
    entries.fail("LTX6132", message, "the attention mask is [S] without a batch axis");
  }
  const tokens = mask.values.length;
  const video = readFeatures(entries, legacy ? "prompt_embeds" : "video_prompt_embeds", tokens);
  const separate = entries.has("audio_prompt_embeds") ? readFeatures(entries, "audio_prompt_embeds", tokens) : null;
  const isText = Int32Array.from(mask.values, (value) => (value > 0 ? 1 : 0));
  return {
    kind: "text_embeddings",
    video,
    audio: legacy ? video : separate,
    mask: { shape: [tokens], dtype: "int32", data: isText },
  };
}

function readFeatures(entries: Entries, key: string, tokens: number): HostTensor {
  const { shape, values } = entries.tensor(key);
  if (shape.length !== 2) {
    const help = "text features are [S, D] without a batch axis";
    entries.fail("LTX6132", `\`${key}\` is ${show(shape)}, expected two axes`, help);
  }
  if (shape[0] !== tokens) {
    const message = `\`${key}\` ${show(shape)} has ${shape[0]} tokens, \`prompt_attention_mask\` has ${tokens}`;
    entries.fail("LTX6133", message, "preprocess the caption again");
  }
  return host(shape, values);
}

function readDeclared(entries: Entries, { key = "", axes = [], range }: Pick<DataSource, "key" | "axes" | "range">) {
  const { shape, values } = entries.tensor(key);
  if (shape.length !== axes.length) {
    const message = `\`${key}\` is ${show(shape)}, the strategy declares ${show(axes)}`;
    entries.fail("LTX6132", message, "correct the source's `axes`, which leave out the batch, or the file");
  }
  const [low, high] = range ?? [-Infinity, Infinity];
  const outside = values.find((value) => value < low || value > high);
  if (outside !== undefined) {
    const message = `\`${key}\` holds ${Number(outside.toPrecision(6))}, the strategy declares numbers from ${low} to ${high}`;
    entries.fail("LTX7131", message, "correct the source's `range`, or make the files anew in it");
  }
  return host(shape, values);
}
