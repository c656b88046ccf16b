/** The sample data of a new project, as files in the official `.pt` layout: what the strategy's sources ask for. */
import { writePt, type EntryToWrite } from "../../runtime/files/index.ts";
import {
  audioLatents,
  audioMask,
  grid,
  halfGrid,
  maskLatents,
  rectangle,
  sizes,
  textFeatures,
  textMask,
  traits,
  videoLatents,
  type Grid,
} from "./clips.ts";
import type { Program } from "./example.ts";
import { textWidths } from "./model-config.ts";
import type { ProjectFile } from "./project-file.ts";

type Entries = Readonly<Record<string, EntryToWrite>>;
type Source = Program["sources"][number];

/** `latents [C, F, H, W]` */
function videoEntries({ frames, height, width }: Grid, values: Float32Array): Entries {
  return {
    latents: { storage: "bfloat16", shape: [sizes.channels, frames, height, width], values },
    num_frames: frames,
    height,
    width,
    fps: { float: sizes.fps },
  };
}

/** `latents [C, T, mel]`, which official files keep in float32. */
function audioEntries(clip: number): Entries {
  const { audioChannels, audioSteps, mel } = sizes;
  return {
    latents: { storage: "float32", shape: [audioChannels, audioSteps, mel], values: audioLatents(clip) },
    num_time_steps: audioSteps,
    frequency_bins: mel,
    duration: { float: audioSteps / 25 },
  };
}

function textEntries(clip: number): Entries {
  const features = (width: number): EntryToWrite => ({
    storage: "bfloat16",
    shape: [sizes.textTokens, width],
    values: textFeatures(clip, width),
  });
  return {
    video_prompt_embeds: features(textWidths.video),
    audio_prompt_embeds: features(textWidths.audio),
    prompt_attention_mask: { storage: "int64", shape: [sizes.textTokens], values: Float32Array.from(textMask()) },
  };
}

function maskEntries(shape: readonly number[], values: Float32Array): Entries {
  return { mask: { storage: "float32", shape: [...shape], values } };
}

/** Lengths of the axes that a `tensor` source may have. */
const lengths: Readonly<Record<string, number>> = {
  "token:video": grid.frames * grid.height * grid.width,
  "token:audio": sizes.audioSteps,
  channel: sizes.channels,
  frame: grid.frames,
  height: grid.height,
  width: grid.width,
  step: sizes.audioSteps,
  mel: sizes.mel,
};

function tensorEntries({ key, axes, name }: Source, clip: number): Entries {
  const shape = (axes ?? []).map((axis) => lengths[axis] ?? sizes.features);
  const count = shape.reduce((a, b) => a * b, 1);
  return { [key ?? name]: { storage: "float32", shape, values: traits(clip, name, count) } };
}

function entriesOf(source: Source, clip: number): Entries {
  switch (source.kind) {
    case "video_latents":
      if (source.directory.endsWith("_half")) return videoEntries(halfGrid, videoLatents(clip, halfGrid));
      return videoEntries(grid, isMask(source) ? maskLatents(clip) : videoLatents(clip));
    case "audio_latents":
      return audioEntries(clip);
    case "text_embeddings":
      return textEntries(clip);
    case "video_mask":
      return maskEntries([grid.frames, grid.height, grid.width], rectangle(clip));
    case "audio_mask":
      return maskEntries([sizes.audioSteps], audioMask(clip));
    case "tensor":
      return tensorEntries(source, clip);
  }
}

const isMask = ({ directory }: Source): boolean => directory.includes("mask");

/** The sources, with the parameters' defaults in their directories. */
function withDefaults(program: Program): readonly Source[] {
  return program.sources.map((source) => ({ ...source, directory: withDefault(source.directory, program.params) }));
}

function withDefault(path: string, params: Program["params"]): string {
  const defaults = new Map(params.map(({ name, schema }) => [name, String(schema["default"])]));
  return path.replace(/\$\{(\w+)\}/g, (_, name: string) => defaults.get(name) ?? name);
}

/** A file per clip in each directory that the strategy reads, and each file that is a source by itself. */
export function sampleFiles(program: Program): readonly ProjectFile[] {
  const byDirectory = new Map(withDefaults(program).map((source) => [source.directory, source]));
  const shared = [...byDirectory.values()].filter((source) => source.shared);
  return [...byDirectory].flatMap(([directory, source]) => {
    const file = (path: string, clip: number) => ({
      path: `data/${path}`,
      content: (to: string) => writePt(to, entriesOf(source, clip)),
    });
    // Unlike any clip's own, and unlike each other.
    if (source.shared) return [file(directory, sizes.clips + shared.indexOf(source))];
    const first = isOther(source, program) ? 10 * sizes.clips : 0;
    const clips = Array.from({ length: sizes.clips }, (_, clip) => clip).filter((clip) => has(source, clip));
    return foldersOf(source, program).flatMap((folder, i) =>
      clips.map((clip) => file(`${folder}${directory}/clip_${clip + 1}.pt`, first + 20 * i * sizes.clips + clip)),
    );
  });
}

/** Of the data sets that have a source, with a slash at the end; data sets have different clips. */
function foldersOf({ name }: Source, { datasets, params }: Program): readonly string[] {
  if (datasets.length === 0) return [""];
  const having = datasets.filter(({ without }) => !without.includes(name));
  return having.map(({ root }) => (root === null ? "" : `${withDefault(root, params)}/`));
}

/** Every second clip lacks what is optional. */
const has = ({ optional }: Source, clip: number): boolean => !optional || clip % 2 === 0;

/** Whether a source holds other clips, or other texts, than those that the step's own call of the model gets. */
function isOther({ name, kind, like }: Source, { modalities }: Program): boolean {
  if (kind === "text_embeddings") return !modalities.some(({ texts }) => texts.includes(name));
  return like !== null;
}
