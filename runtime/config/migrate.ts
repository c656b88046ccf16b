import type { Finding } from "../contract.ts";
import { finding, isFields, show, warning } from "./conform.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Rewrites settings of older releases in today's words, with a warning for each, and refuses those that contradict new ones. */
export function migrate(raw: Fields, findings: Finding[]): Fields {
  const validation = raw["validation"];
  if (!isFields(validation)) return raw;
  const rewritten = migratePrompts(migrateStg(migrateGuidance(validation, findings), findings), findings);
  return { ...raw, validation: rewritten };
}

const at = (key: string): Finding["path"] => ["validation", key];

function deprecated(key: string, instead: string): Finding {
  return warning("LTX6007", at(key), `\`validation.${key}\` is an older name`, instead);
}

function without(fields: Fields, keys: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !keys.includes(key)));
}

/** True, with a finding, when one of `newer` is set beside the older `key`. */
function contradicts(validation: Fields, key: string, newer: readonly string[], findings: Finding[]): boolean {
  const both = newer.filter((name) => validation[name] !== undefined);
  if (both.length === 0) return false;
  const message = `\`${key}\` and \`${both.join("`, `")}\` set the same thing`;
  findings.push(finding("LTX6008", at(key), message, `remove \`${key}\``));
  return true;
}

function migrateGuidance(validation: Fields, findings: Finding[]): Fields {
  const scale = validation["guidance_scale"];
  if (scale === undefined) return validation;
  const newer = ["video_cfg_scale", "audio_cfg_scale"];
  if (contradicts(validation, "guidance_scale", newer, findings)) return without(validation, ["guidance_scale"]);
  findings.push(
    deprecated("guidance_scale", `write \`video_cfg_scale: ${show(scale)}\` and \`audio_cfg_scale: ${show(scale)}\``),
  );
  return { ...without(validation, ["guidance_scale"]), video_cfg_scale: scale, audio_cfg_scale: scale };
}

function migrateStg(validation: Fields, findings: Finding[]): Fields {
  const { stg_scale: scale = 1, stg_mode: mode = "stg_av" } = validation;
  const key = ["stg_scale", "stg_mode"].find((name) => validation[name] !== undefined);
  // A mode that does not exist stays in place, for the schema to refuse.
  if (key === undefined || (mode !== "stg_av" && mode !== "stg_v")) return validation;
  const rest = without(validation, ["stg_scale", "stg_mode"]);
  if (contradicts(validation, key, ["video_stg_scale", "audio_stg_scale"], findings)) return rest;
  const audio = mode === "stg_av" ? scale : 0;
  findings.push(deprecated(key, `write \`video_stg_scale: ${show(scale)}\` and \`audio_stg_scale: ${show(audio)}\``));
  return { ...rest, video_stg_scale: scale, audio_stg_scale: audio };
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** One sample per prompt, unless samples are listed already. The old fields stay beside them, as the official trainer keeps them. */
function migratePrompts(validation: Fields, findings: Finding[]): Fields {
  const prompts = list(validation["prompts"]);
  if (prompts.length === 0) return validation;
  if (list(validation["samples"]).length > 0) {
    findings.push(
      warning("LTX6007", at("prompts"), "`samples` is used, `prompts` is not", "remove `validation.prompts`"),
    );
    return validation;
  }
  findings.push(deprecated("prompts", "write `samples:` with a `prompt:` each"));
  const samples = prompts.map((prompt, i) => ({ prompt, conditions: conditionsOf(validation, i) }));
  return { ...validation, samples };
}

function conditionsOf(validation: Fields, index: number): readonly Fields[] {
  const image = list(validation["images"])[index];
  const video = list(validation["reference_videos"])[index];
  const reference = {
    type: "reference",
    video,
    downscale_factor: validation["reference_downscale_factor"] ?? 1,
    include_in_output: validation["include_reference_in_output"] ?? false,
  };
  return [
    ...(image === undefined ? [] : [{ type: "first_frame", image_or_video: image }]),
    ...(video === undefined ? [] : [reference]),
  ];
}
