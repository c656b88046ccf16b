/** Samples made for a strategy: every source that it declares, of sizes that fit together, filled from a seed. */
import type { HostTensor, SourceInfo, StrategyInfo, VideoGrid } from "../../runtime/contract.ts";
import { philoxSource, type HostSample, type HostSource } from "../../runtime/index.ts";

/** What masks select: nothing, everything, a box inside, random cells; soft ones have values between 0 and 1. */
export type MaskPattern = "empty" | "full" | "box" | "scattered" | "soft";

export interface SyntheticSizes extends VideoGrid {
  /** Latent steps of audio. */
  readonly steps: number;
}

export interface Synthetic {
  readonly sizes: SyntheticSizes;
  readonly samples: number;
  readonly masks: MaskPattern;
  /** How much smaller references are than their target: height and width, and the frames after the first. */
  readonly reference: { readonly space: number; readonly time: number };
  readonly seed: number;
  /** Of tensors without axes, such as scores and flags: normal numbers if not given, or numbers from 0 to 1, or to 10. */
  readonly scores?: "normal" | "shares" | "tens";
  /** Which samples lack what is optional: none if not given, every second one, or all. References are had by all or by none. */
  readonly lacking?: "some" | "all";
}

/** Small, and different from each other, so that a mix-up of two axes shows. */
const lengths = { videoChannels: 4, audioChannels: 2, mel: 3, text: 5, textWidth: 7 } as const;

/** Width of the model's stream, as taps see it; of features where no output says how many there are. */
export const streamWidth = 6;

export function syntheticSamples(strategy: StrategyInfo, made: Synthetic): readonly [HostSample, ...HostSample[]] {
  const sampleOf = (index: number): HostSample => ({
    name: `sample ${index}`,
    marks: marksOf(strategy, made, index),
    sources: Object.fromEntries(
      strategy.sources.map((source) => [
        source.name,
        sourceOf(source, strategy, made, source.shared === true ? 0 : index),
      ]),
    ),
  });
  return [sampleOf(0), ...Array.from({ length: made.samples - 1 }, (_, i) => sampleOf(i + 1))];
}

/** Which data set a sample is of, in turn, and what it has of the sources that samples may lack. */
function marksOf(strategy: StrategyInfo, { lacking }: Synthetic, index: number): Readonly<Record<string, boolean>> {
  const { sources, datasets = [] } = strategy;
  const set = datasets[index % Math.max(1, datasets.length)];
  const isLacked = ({ name }: SourceInfo) => datasets.some(({ without = [] }) => without.includes(name));
  const has = (source: SourceInfo) =>
    set?.without?.includes(source.name) !== true &&
    (source.optional !== true ||
      lacking === undefined ||
      (lacking === "some" && (index % 2 === 0 || isReference(source, strategy))));
  const optional = sources.filter((source) => source.optional === true || isLacked(source));
  return Object.fromEntries([
    ...optional.map((source) => [source.name, has(source)] as const),
    ...datasets.map(({ name }) => [name, name === set?.name] as const),
  ]);
}

function sourceOf(source: SourceInfo, strategy: StrategyInfo, made: Synthetic, index: number): HostSource {
  const { name, kind } = source;
  const { sizes } = made;
  const draws = philoxSource(made.seed, 0, index);
  const normal = (...shape: number[]): HostTensor => floats(shape, draws.randn(name, product(shape)));
  switch (kind) {
    case "video_latents": {
      const grid = gridOf(name, strategy, made);
      const shape = [lengths.videoChannels, grid.frames, grid.height, grid.width];
      const latents = isMask(source, strategy) ? maskLatents(shape, made, index) : storedAsBfloat16(normal(...shape));
      return { kind, latents, storage: "bfloat16", ...grid, fps: fpsOf(grid, made) };
    }
    case "audio_latents": {
      const shape = [lengths.audioChannels, sizes.steps, lengths.mel];
      return { kind, latents: storedAsBfloat16(normal(...shape)), storage: "bfloat16", steps: sizes.steps };
    }
    case "text_embeddings": {
      const mask = Int32Array.from({ length: lengths.text }, (_, i) => (i <= index + 1 ? 1 : 0));
      const features = () => normal(lengths.text, lengths.textWidth);
      return {
        kind,
        video: features(),
        audio: features(),
        mask: { shape: [lengths.text], dtype: "int32", data: mask },
      };
    }
    case "video_mask":
      return { kind, mask: maskOver({ ...sizes }, made, index) };
    case "audio_mask":
      return { kind, mask: maskOver({ frames: sizes.steps, height: 1, width: 1 }, made, index) };
    case "tensor": {
      const shape = (source.axes ?? []).map((axis) => lengthOf(axis, source, strategy, made));
      if (source.range !== undefined)
        return { kind, value: inRange(shape, source.range, draws.rand(name, product(shape))) };
      const limit = { normal: null, shares: 1, tens: 10 }[made.scores ?? "normal"];
      if (limit !== null && source.axes?.length === 0)
        return {
          kind,
          value: floats(
            [],
            draws.rand(name, 1).map((share) => limit * share),
          ),
        };
      return { kind, value: normal(...shape) };
    }
  }
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** From numbers between 0 and 1, the first of which is the smallest and the second the largest that may be. */
function inRange(shape: readonly number[], [low, high]: readonly [number, number], shares: Float32Array): HostTensor {
  const ends = shape.length === 0 ? [] : [low, high];
  return floats(
    shape,
    shares.map((share, i) => Math.min(Math.max(ends[i] ?? low + share * (high - low), low), high)),
  );
}

const floats = (shape: readonly number[], data: Float32Array): HostTensor => ({ shape, dtype: "float32", data });

/** Rounds towards zero to bfloat16 (the upper half of a float32), the type in which preprocessed latents are stored. */
function storedAsBfloat16(tensor: HostTensor): HostTensor {
  const bits = new Uint32Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.length);
  bits.forEach((value, i) => (bits[i] = (value & 0xffff0000) >>> 0));
  return tensor;
}

// ------------------------------------------------------------------------------------------------------------------- sizes

export function isReference({ name }: SourceInfo, { modalities, passes = [] }: StrategyInfo): boolean {
  const own = [modalities.video, modalities.audio].flatMap((modality) => modality?.references ?? []);
  const ofPasses = passes.flatMap(({ references = {} }) => Object.values(references).flat());
  return own.includes(name) || ofPasses.includes(name);
}

/** Latents that feed no modality have the target's grid and describe its tokens: most often they are a mask. */
export function isMask(source: SourceInfo, strategy: StrategyInfo): boolean {
  if (source.kind === "video_mask" || source.kind === "audio_mask") return true;
  const { modalities, passes = [] } = strategy;
  const fed = [modalities.video?.latents, ...passes.map(({ latents }) => latents?.video)];
  return source.kind === "video_latents" && !isReference(source, strategy) && !fed.includes(source.name);
}

function isAudio(family: string, { sources }: StrategyInfo): boolean {
  return family === "audio" || sources.some(({ name, kind }) => name === family && kind === "audio_latents");
}

function gridOf(name: string, strategy: StrategyInfo, { sizes, reference }: Synthetic): VideoGrid {
  const { frames, height, width } = sizes;
  const source = strategy.sources.find((each) => each.name === name);
  if (source === undefined || !isReference(source, strategy)) return { frames, height, width };
  return {
    frames: (frames - 1) / reference.time + 1,
    height: height / reference.space,
    width: width / reference.space,
  };
}

/** 24 for the target; a reference with fewer frames lasts as long, so its rate is lower by the same factor. */
function fpsOf({ frames }: VideoGrid, { sizes }: Synthetic): number {
  return frames > 1 && sizes.frames > 1 ? (24 * (frames - 1)) / (sizes.frames - 1) : 24;
}

function lengthOf(axis: string, source: SourceInfo, strategy: StrategyInfo, made: Synthetic): number {
  const [name = "", of = "video"] = axis.split(":");
  const grid = gridOf(of, strategy, made);
  switch (name) {
    case "token":
      return isAudio(of, strategy) ? made.sizes.steps : product([grid.frames, grid.height, grid.width]);
    case "frame":
      return grid.frames;
    case "height":
      return grid.height;
    case "width":
      return grid.width;
    case "step":
      return made.sizes.steps;
    case "mel":
      return lengths.mel;
    case "channel":
      return channelsOf(source.axes ?? []);
    default:
      return featuresOf(strategy);
  }
}

/** Channels of audio tokens are those of the latents times the mel bins. */
function channelsOf(axes: readonly string[]): number {
  if (axes.includes("mel")) return lengths.audioChannels;
  return axes.includes("token:audio") || axes.includes("step")
    ? lengths.audioChannels * lengths.mel
    : lengths.videoChannels;
}

/** What is compared with the head at the end of a chain has as many features as it. */
function featuresOf({ outputs }: StrategyInfo): number {
  const heads = outputs.flatMap((output) => (output.kind === "linear" ? [output] : []));
  return heads.find(({ name }) => !heads.some(({ input }) => input === name))?.features ?? streamWidth;
}

// ------------------------------------------------------------------------------------------------------------------- masks

function maskOver(grid: VideoGrid, made: Synthetic, index: number): HostTensor {
  const count = product([grid.frames, grid.height, grid.width]);
  return floats([count], cells(grid, made, index));
}

/** The same in every channel, as an encoded mask nearly is. */
function maskLatents(shape: readonly number[], made: Synthetic, index: number): HostTensor {
  const [channels = 0, frames = 0, height = 0, width = 0] = shape;
  const mask = cells({ frames, height, width }, made, index);
  return floats(
    shape,
    Float32Array.from({ length: product(shape) }, (_, i) => mask[i % (product(shape) / channels)] ?? 0),
  );
}

function cells({ frames, height, width }: VideoGrid, { masks, seed }: Synthetic, index: number): Float32Array {
  const count = frames * height * width;
  const chance = philoxSource(seed, 1, index).rand("mask", count);
  const inside = (at: number, length: number) => at >= Math.floor(length / 4) && at < Math.ceil((3 * length) / 4);
  // Of audio the middle, of video all but the first frame.
  const inTime = (frame: number) => (height * width === 1 ? inside(frame, frames) : frames === 1 || frame > 0);
  return Float32Array.from({ length: count }, (_, token) => {
    const frame = Math.floor(token / (height * width));
    const row = Math.floor(token / width) % height;
    // Boxes of later samples begin a column further.
    const column = (token + index) % width;
    if (masks === "soft") return chance[token] ?? 0;
    const isTrue = {
      empty: false,
      full: true,
      box: inside(row, height) && inside(column, width) && inTime(frame),
      scattered: (chance[token] ?? 0) < 0.5,
    }[masks];
    return isTrue ? 1 : 0;
  });
}
