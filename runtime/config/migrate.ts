import type { Finding, Rewrite } from "../findings.ts";
import { finding, isFields, warning } from "./conform.ts";
import type { AccelerationConfig, RunConfig, ValidationConfig, ValidationSample } from "./run-config.ts";

/** `validation` with the settings of older releases that the schema still lets pass. */
interface OlderValidation extends ValidationConfig {
  readonly guidance_scale?: number;
  readonly stg_scale?: number;
  readonly stg_mode?: "stg_av" | "stg_v";
  readonly videos_per_prompt?: number;
}

/** `acceleration` with the settings of older releases. */
interface OlderAcceleration extends AccelerationConfig {
  readonly compile_with_inductor?: boolean;
  readonly compilation_mode?: string;
}

/**
 * Rewrites settings of older releases in today's words, with a warning for each, and refuses those that contradict a new one.
 * `raw` is the config as written, which tells what was set from what is a default.
 */
export function migrate(config: RunConfig, raw: unknown, findings: Finding[]): RunConfig {
  const written = isFields(raw) && isFields(raw["validation"]) ? Object.keys(raw["validation"]) : [];
  const { guidance_scale, stg_scale, stg_mode, videos_per_prompt, ...validation } =
    config.validation as OlderValidation;
  const { compile_with_inductor, compilation_mode, ...acceleration } = config.acceleration as OlderAcceleration;
  const removed = { validation: { videos_per_prompt }, acceleration: { compile_with_inductor, compilation_mode } };
  for (const [section, settings] of Object.entries(removed)) {
    for (const [key, value] of Object.entries(settings)) if (value !== undefined) findings.push(gone(section, key));
  }
  const rewritten = {
    ...validation,
    ...migrateGuidance(guidance_scale, written, findings),
    ...migrateStg(stg_scale, stg_mode, written, findings),
    ...migratePrompts(validation, written, findings),
  };
  return { ...config, validation: rewritten, acceleration };
}

const at = (key: string): Finding["path"] => ["validation", key];

const rewrite = (key: string, entries: Rewrite["entries"]): Rewrite => ({ path: at(key), entries });

function older(key: string, instead: string, rewrites: readonly Rewrite[]): Finding {
  return { ...warning("LTX6007", at(key), `\`validation.${key}\` is an older name`, instead), rewrites };
}

function gone(section: string, key: string): Finding {
  const path = [section, key];
  const message = `\`${section}.${key}\` was removed from the official format and has no effect`;
  return { ...warning("LTX6011", path, message, "remove the line"), rewrites: [{ path, entries: {} }] };
}

/** Settings in place of the older `key`, unless one of them was written, too. */
function replace<Fields extends Readonly<Record<string, number>>>(
  [key, ...others]: readonly [string, ...string[]],
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
  const rewrites = [rewrite(key, instead), ...others.map((other) => rewrite(other, {}))];
  findings.push(older(key, `write ${lines.join(" and ")}`, rewrites));
  return instead;
}

function migrateGuidance(scale: number | undefined, written: readonly string[], findings: Finding[]) {
  if (scale === undefined) return {};
  return replace(["guidance_scale"], { video_cfg_scale: scale, audio_cfg_scale: scale }, written, findings);
}

function migrateStg(
  scale: number | undefined,
  mode: OlderValidation["stg_mode"],
  written: readonly string[],
  findings: Finding[],
) {
  if (scale === undefined && mode === undefined) return {};
  const keys = (["stg_scale", "stg_mode"] as const).filter((_, i) => [scale, mode][i] !== undefined);
  const video = scale ?? 1;
  return replace(
    keys as [string],
    { video_stg_scale: video, audio_stg_scale: mode === "stg_v" ? 0 : video },
    written,
    findings,
  );
}

/** One sample per prompt, unless samples are listed already. The old fields stay next to them, as the official trainer keeps them. */
function migratePrompts(
  validation: ValidationConfig,
  written: readonly string[],
  findings: Finding[],
): { samples?: readonly ValidationSample[] } {
  const { prompts, samples } = validation;
  if (prompts.length === 0) return {};
  const [first = "prompts", ...others] = olderSampleKeys.filter((key) => written.includes(key));
  if (samples.length > 0) {
    const rewrites = [first, ...others].map((key) => rewrite(key, {}));
    const found = warning("LTX6007", at(first), "`samples` is used, `prompts` is not", "remove `validation.prompts`");
    findings.push({ ...found, rewrites });
    return {};
  }
  const listed = prompts.map((prompt, i) => sampleToWrite(prompt, conditionsOf(validation, i)));
  const rewrites = [rewrite(first, { samples: listed }), ...others.map((key) => rewrite(key, {}))];
  findings.push(older("prompts", "write `samples:` with a `prompt:` each", rewrites));
  const sampleOf = (prompt: string, i: number) => ({
    prompt,
    conditions_file: null,
    conditions: conditionsOf(validation, i),
    video_dims: null,
    seed: null,
  });
  return { samples: prompts.map(sampleOf) };
}

/** The settings that `samples` stands for. */
const olderSampleKeys = [
  "prompts",
  "images",
  "reference_videos",
  "reference_downscale_factor",
  "include_reference_in_output",
];

/** A sample's settings without defaults. */
function sampleToWrite(prompt: string, conditions: ValidationSample["conditions"]): Readonly<Record<string, unknown>> {
  return conditions.length === 0 ? { prompt } : { prompt, conditions };
}

function conditionsOf(validation: ValidationConfig, index: number): ValidationSample["conditions"] {
  const [image, video] = [validation.images?.[index], validation.reference_videos?.[index]];
  const { reference_downscale_factor: downscale_factor, include_reference_in_output: include_in_output } = validation;
  return [
    ...(image === undefined ? [] : [{ type: "first_frame" as const, image_or_video: image }]),
    ...(video === undefined ? [] : [{ type: "reference" as const, video, downscale_factor, include_in_output }]),
  ];
}
