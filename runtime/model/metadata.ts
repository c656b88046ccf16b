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
  const help = "name an LTX-2 checkpoint as it was published; a file of LoRA or full-training weights is none";
  return fail("LTX6204", `${file} has no \`config\` in its metadata, so it is not an LTX-2 checkpoint`, help, path);
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
