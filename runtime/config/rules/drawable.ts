import type { Finding } from "../../findings.ts";
import { mediaOf } from "../paths.ts";
import type { RunConfig, ValidationSample } from "../run-config.ts";

/** A sample that can be drawn, and where it stands in the run config. */
export interface DrawableSample extends ValidationSample {
  readonly conditions_file: string;
  /** Counts from 0. */
  readonly index: number;
}

interface Obstacle {
  readonly path: Finding["path"];
  readonly reason: string;
  readonly help: string;
}

/**
 * The samples that can be drawn without a text encoder and an audio autoencoder, which would be needed for prompts and sound; none where
 * `validation.interval` is null.
 */
export function drawableSamples({ validation }: RunConfig): readonly DrawableSample[] {
  if (validation.interval === null) return [];
  return validation.samples.flatMap((sample, index) => {
    const { conditions_file } = sample;
    return conditions_file === null || obstaclesOf(sample, index).length > 0
      ? []
      : [{ ...sample, conditions_file, index }];
  });
}

/** Whether a condition's file is a video or picture, and not preprocessed. */
export const isPixels = (path: string): boolean => !path.endsWith(".pt");

/** Why a sample is not drawn. */
export function obstaclesOf(sample: ValidationSample, index: number): readonly Obstacle[] {
  const place = ["validation", "samples", index];
  if (sample.conditions_file === null) {
    if (sample.prompt === null) return [];
    const help = "name the features of its caption instead: `conditions_file: data/conditions/clip.pt`";
    return [{ path: [...place, "prompt"], reason: "a prompt needs a text encoder, and there is none here", help }];
  }
  return sample.conditions.flatMap((condition, i) =>
    mediaOf(condition)
      .filter(({ path }) => condition.audio !== undefined && isPixels(path))
      .map(({ key, path }) => ({
        path: [...place, "conditions", i, key],
        reason: `${path} would have to be encoded, and there is no autoencoder for sound here`,
        help: "name the `.pt` file that preprocessing made of it",
      })),
  );
}
