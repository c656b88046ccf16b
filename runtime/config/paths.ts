import { homedir } from "node:os";
import { resolve } from "node:path";
import type { RunConfig, ValidationCondition } from "./run-config.ts";

/** Resolves `~` and relative paths; those start at `directory`, the config file's folder. */
export function withAbsolutePaths(config: RunConfig, directory: string): RunConfig {
  const absolute = (path: string) => resolve(directory, path.replace(/^~(?=$|[\\/])/, homedir()));
  const optional = (path: string | null) => (path === null ? null : absolute(path));
  const { model, data, validation } = config;
  return {
    ...config,
    model: {
      ...model,
      // An address is refused later, in the words in which it was written.
      model_path: isAddress(model.model_path) ? model.model_path : absolute(model.model_path),
      text_encoder_path: optional(model.text_encoder_path),
      video_vae_path: optional(model.video_vae_path),
      audio_vae_path: optional(model.audio_vae_path),
      load_checkpoint: optional(model.load_checkpoint),
    },
    data: { ...data, preprocessed_data_root: absolute(data.preprocessed_data_root) },
    validation: {
      ...validation,
      negative_conditions_file: optional(validation.negative_conditions_file),
      samples: validation.samples.map((sample) => ({
        ...sample,
        conditions_file: optional(sample.conditions_file),
        conditions: sample.conditions.map((condition) => withAbsoluteMedia(condition, absolute)),
      })),
    },
    output_dir: absolute(config.output_dir),
    runtime: {
      ...config.runtime,
      torch: optional(config.runtime.torch),
      datasets: each(config.runtime.datasets, absolute),
      networks: each(config.runtime.networks, absolute),
      ltx_trainer: optional(config.runtime.ltx_trainer),
    },
  };
}

const each = (paths: Readonly<Record<string, string>>, change: (path: string) => string) =>
  Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, change(path)]));

function withAbsoluteMedia(condition: ValidationCondition, absolute: (path: string) => string): ValidationCondition {
  const files = mediaOf(condition).map(({ key, path }) => [key, absolute(path)] as const);
  return { ...condition, ...Object.fromEntries(files) };
}

/** The files that a condition names. */
export function mediaOf(condition: ValidationCondition) {
  return (["image_or_video", "video", "audio", "mask"] as const).flatMap((key) => {
    const path = condition[key];
    return path === undefined ? [] : [{ key, path }];
  });
}

export const isAddress = (path: string): boolean => /^https?:\/\//.test(path);
