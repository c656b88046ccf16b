import { join } from "node:path";
import type { HostTensor } from "../contract.ts";
import { writeAtomically } from "../files/atomic.ts";
import { writePt } from "../files/pt/index.ts";
import { writeSafetensors, type OutputTensor } from "../files/safetensors/index.ts";
import { audioStepsPerSecond } from "./conditions.ts";
import type { Drawn } from "./draw.ts";
import type { SamplePlan } from "./sample-plan.ts";
import { writeLatents } from "../media/latents-file.ts";
import { encodePng, type PngPicture } from "../media/png.ts";
import type { SampleDecoder } from "./decoded-sample.ts";
import { audioPreview, videoPreview } from "./preview.ts";

/** What is drawn of a plan, and by whom. */
export interface DrawnSample {
  readonly plan: SamplePlan;
  readonly drawn: Drawn;
  /** Steps that the model had been trained; null for the base model, whose files are called `base_1`. */
  readonly globalStep: number | null;
  /** Of a sample of the base model: what it depends on, by which it is known again. */
  readonly baseKey: string | null;
}

/** The name of a sample's files, without their endings. */
export const nameOfSample = (globalStep: number | null, number: number): string =>
  `${globalStep === null ? "base" : `step_${String(globalStep).padStart(6, "0")}`}_${number}`;

/**
 * Writes a sample below `<outputDirectory>/samples`, each file whole or not at all:
 *   step_000100_1.safetensors         all that was generated, float32, under `video` and `audio`
 *   latents/step_000100_1.pt          video as preprocessing writes it, which official scripts decode
 *   audio_latents/step_000100_1.pt    audio likewise
 *   step_000100_1.mp4, .png           with a decoder: the video, and some of its frames side by side; one frame is a picture alone
 *   step_000100_1.png                 without one: a tile per channel; that of audio ends with `_audio.png` where there is a video, too
 *   base_1.…                          the same of the base model
 * @returns the path of the safetensors file
 * Errors: FindingsError LTX6190, LTX6191.
 */
export async function writeSample(
  outputDirectory: string,
  { plan, drawn: { video, audio }, globalStep, baseKey }: DrawnSample,
  decoder: SampleDecoder | null,
): Promise<string> {
  const folder = join(outputDirectory, "samples");
  const name = nameOfSample(globalStep, plan.number);
  if (video !== null && plan.video !== null) {
    await writeLatents(join(folder, "latents", `${name}.pt`), { latents: video, fps: plan.video.fps });
    if (decoder !== null) await decoder.write(video, plan.video.fps, join(folder, name));
    else await writePicture(join(folder, `${name}.png`), videoPreview(video, plan.video.shown));
  }
  if (audio !== null) {
    await writePt(join(folder, "audio_latents", `${name}.pt`), audioEntries(audio));
    await writePicture(join(folder, `${name}${video === null ? "" : "_audio"}.png`), audioPreview(audio));
  }
  const path = join(folder, `${name}.safetensors`);
  const metadata = {
    ...(globalStep === null ? {} : { step: `${globalStep}` }),
    seed: `${plan.seed}`,
    ...(plan.video && { fps: `${plan.video.fps}` }),
    ...(baseKey === null ? {} : { base: baseKey }),
  };
  await writeSafetensors(path, [...tensorsOf("video", video), ...tensorsOf("audio", audio)], metadata);
  return path;
}

function tensorsOf(name: string, latents: HostTensor | null): OutputTensor[] {
  return latents === null ? [] : [{ name, shape: latents.shape, dtype: "F32", data: latents.data as Float32Array }];
}

/** The official preprocessing keeps audio latents in float32. */
function audioEntries(latents: HostTensor) {
  const [, steps = 0, mel = 0] = latents.shape;
  return {
    latents: { storage: "float32", shape: latents.shape, values: latents.data as Float32Array },
    num_time_steps: steps,
    frequency_bins: mel,
    duration: { float: steps / audioStepsPerSecond },
  } as const;
}

function writePicture(path: string, picture: PngPicture): Promise<void> {
  const bytes = encodePng(picture);
  return writeAtomically(path, bytes.length, (sink) => sink(bytes));
}
