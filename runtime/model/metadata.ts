import { fail, type Finding } from "../findings.ts";
import type { ConfigSection } from "./config-reader.ts";

export function isSection(value: unknown): value is ConfigSection {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The sections of a checkpoint's config (`transformer`, `vae`, ...), from its metadata.
 * Errors: FindingsError LTX6204 where there is no such config.
 */
export function readConfigSections(
  metadata: Readonly<Record<string, string>>,
  file: string,
  path: Finding["path"],
): ConfigSection {
  const config = parse(metadata["config"]);
  if (isSection(config)) return config;
  const help =
    "take the checkpoint as it was published; results of a full training belong in `load_checkpoint`, with the checkpoint that they started from in `model_path`";
  return fail("LTX6204", `${file} has no \`config\` in its metadata, which says how the model is built`, help, path);
}

/** Whether the file holds the transformer alone, its companions being files of their own. */
export function isSplit(sections: ConfigSection): boolean {
  return "transformer" in sections && !["vae", "audio_vae", "vocoder"].some((name) => name in sections);
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
