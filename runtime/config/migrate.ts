import type { Finding } from "../findings.ts";
import { finding, isFields, warning } from "./conform.ts";
import type { RunConfig, ValidationConfig, ValidationSample } from "./run-config.ts";

/** `validation` with the settings of older releases that the schema still lets pass. */
interface OlderValidation extends ValidationConfig {
  readonly guidance_scale?: number;
  readonly stg_scale?: number;
  readonly stg_mode?: "stg_av" | "stg_v";
}

/**
 * Rewrites settings of older releases in today's words, with a warning for each, and refuses those that contradict a new one.
 * `raw` is the config as written, which tells what was set from what is a default.
 */
export function migrate(config: RunConfig, raw: unknown, findings: Finding[]): RunConfig {
  const written = isFields(raw) && isFields(raw["validation"]) ? Object.keys(raw["validation"]) : [];
  const { guidance_scale, stg_scale, stg_mode, ...validation } = config.validation as OlderValidation;
  const rewritten = {
    ...validation,
    ...migrateGuidance(guidance_scale, written, findings),
    ...migrateStg(stg_scale, stg_mode, written, findings),
    ...migratePrompts(validation, findings),
  };
  return { ...config, validation: rewritten };
}

const at = (key: string): Finding["path"] => ["validation", key];

function older(key: string, instead: string): Finding {
  return warning("LTX6007", at(key), `\`validation.${key}\` is an older name`, instead);
}

/** Settings in place of the older `key`, unless one of them was written, too. */
function replace<Fields extends object>(
  key: string,
  instead: Fields,
  written: readonly string[],
  findings: Finding[],
): Partial<Fields> {
  const both = Object.keys(instead).filter((name) => written.includes(name));
  if (both.length > 0) {
    const message = `\`${key}\` and \`${both.join("`, `")}\` set the same thing`;
    findings.push(finding("LTX6008", at(key), message, `remove \`${key}\``));
    return {};
  }
  const lines = Object.entries(instead).map(([name, value]) => `\`${name}: ${value}\``);
  findings.push(older(key, `write ${lines.join(" and ")}`));
  return instead;
}

function migrateGuidance(scale: number | undefined, written: readonly string[], findings: Finding[]) {
  if (scale === undefined) return {};
  return replace("guidance_scale", { video_cfg_scale: scale, audio_cfg_scale: scale }, written, findings);
}

function migrateStg(
  scale: number | undefined,
  mode: OlderValidation["stg_mode"],
  written: readonly string[],
  findings: Finding[],
) {
  const key = scale === undefined ? "stg_mode" : "stg_scale";
  if (scale === undefined && mode === undefined) return {};
  const video = scale ?? 1;
  return replace(key, { video_stg_scale: video, audio_stg_scale: mode === "stg_v" ? 0 : video }, written, findings);
}

/** One sample per prompt, unless samples are listed already. The old fields stay next to them, as the official trainer keeps them. */
function migratePrompts(validation: ValidationConfig, findings: Finding[]): { samples?: readonly ValidationSample[] } {
  const { prompts, samples } = validation;
  if (prompts.length === 0) return {};
  if (samples.length > 0) {
    findings.push(
      warning("LTX6007", at("prompts"), "`samples` is used, `prompts` is not", "remove `validation.prompts`"),
    );
    return {};
  }
  findings.push(older("prompts", "write `samples:` with a `prompt:` each"));
  const sampleOf = (prompt: string, i: number) => ({
    prompt,
    conditions_file: null,
    conditions: conditionsOf(validation, i),
    video_dims: null,
    seed: null,
  });
  return { samples: prompts.map(sampleOf) };
}

function conditionsOf(validation: ValidationConfig, index: number): ValidationSample["conditions"] {
  const [image, video] = [validation.images?.[index], validation.reference_videos?.[index]];
  const { reference_downscale_factor: downscale_factor, include_reference_in_output: include_in_output } = validation;
  return [
    ...(image === undefined ? [] : [{ type: "first_frame" as const, image_or_video: image }]),
    ...(video === undefined ? [] : [{ type: "reference" as const, video, downscale_factor, include_in_output }]),
  ];
}
