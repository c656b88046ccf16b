/** The section `validation` of a run config, for tests of samples. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Settings for samples that are small and soon drawn. */
export const usual = ["interval: 2", "video_dims: [192, 192, 17]", "inference_steps: 2", "stg_blocks: null"];

/** A sample with its caption. */
export const sample = ["samples:", "  - conditions_file: data/conditions/clip_2.pt"];
/** The caption that guidance leads away from. */
export const negative = "negative_conditions_file: data/conditions/clip_1.pt";

/** Replaces the section `validation` of train.yaml. */
export async function validation(cwd: string, lines: readonly string[]): Promise<void> {
  const path = join(cwd, "train.yaml");
  const text = await readFile(path, "utf8");
  const section = ["validation:", ...lines.map((line) => `  ${line}`)].join("\n");
  await writeFile(path, text.replace(/^validation:\n( .*\n)+/m, `${section}\n`));
}
