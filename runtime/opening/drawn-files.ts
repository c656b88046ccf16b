/** The files by which samples are drawn: no step follows from them, but the samples of a run are to compare. */
import { drawableSamples, type RunConfig } from "../config/index.ts";
import { mediaOf } from "../config/paths.ts";
import { codeOf } from "../data/contents.ts";

/** By setting, such as `validation.samples[0].conditions_file`, a code of what is in the file that it names. */
export async function drawnContents(config: RunConfig): Promise<Readonly<Record<string, string>>> {
  const files = new Map<string, string>();
  for (const { index, conditions_file, conditions } of drawableSamples(config)) {
    const sample = `validation.samples[${index}]`;
    files.set(`${sample}.conditions_file`, conditions_file);
    for (const [i, condition] of conditions.entries())
      for (const { key, path } of mediaOf(condition)) files.set(`${sample}.conditions[${i}].${key}`, path);
  }
  const { negative_conditions_file: negative } = config.validation;
  if (files.size > 0 && negative !== null) files.set("validation.negative_conditions_file", negative);
  const codes = await Promise.all(Array.from(files, async ([setting, path]) => [setting, await codeOf(path)] as const));
  return Object.fromEntries(codes);
}
