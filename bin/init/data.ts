/** The sample data of a new project, as files in the official `.pt` layout. */
import { writePt, type EntryToWrite } from "../../runtime/data/pt/index.ts";
import { audioLatents, maskLatents, sizes, textFeatures, textMask, videoLatents } from "./clips.ts";
import { textWidths } from "./model-config.ts";
import type { ProjectFile, StrategyName } from "./project.ts";

type Entries = Readonly<Record<string, EntryToWrite>>;

/** `latents [C, F, H, W]` */
function videoEntries(values: Float32Array): Entries {
  const { channels, frames, height, width, fps } = sizes;
  return {
    latents: { storage: "bfloat16", shape: [channels, frames, height, width], values },
    num_frames: frames,
    height,
    width,
    fps: { float: fps },
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

const contents = {
  latents: (clip: number) => videoEntries(videoLatents(clip)),
  mask_latents: (clip: number) => videoEntries(maskLatents(clip)),
  audio_latents: audioEntries,
  conditions: textEntries,
} satisfies Readonly<Record<string, (clip: number) => Entries>>;

const directories: Readonly<Record<StrategyName, readonly (keyof typeof contents)[]>> = {
  inpainting: ["latents", "conditions", "mask_latents"],
  text_to_video: ["latents", "conditions"],
  text_to_video_with_audio: ["latents", "conditions", "audio_latents"],
};

/** A file per clip in each directory that the strategy reads. */
export function sampleFiles(strategy: StrategyName): readonly ProjectFile[] {
  return directories[strategy].flatMap((directory) =>
    Array.from({ length: sizes.clips }, (_, clip) => ({
      path: `data/${directory}/clip_${clip + 1}.pt`,
      content: (path: string) => writePt(path, contents[directory](clip)),
    })),
  );
}
