import { findWeights } from "../checkpoints/checkpoint-files.ts";
import { examineLora, type WantedTensor } from "../checkpoints/fit-lora.ts";
import type { RunConfig } from "../config/run-config.ts";
import { judgeFile } from "../files/kinds/index.ts";
import { FindingsError, type Finding } from "../findings.ts";
import type { ExaminedModel } from "../model/checkpoint.ts";
import { matchTargets } from "../model/lora.ts";
import { transformerLayout } from "../model/parameters.ts";

/**
 * Judges the LoRA that a run is to begin with, its numbers included, as the run does when it loads it.
 * @returns warnings
 * @throws FindingsError LTX6311 and LTX6360 to LTX6367, those of `examineLora`
 */
export async function checkLora({ model, lora }: RunConfig, { config }: ExaminedModel): Promise<readonly Finding[]> {
  if (lora === null || model.training_mode === "full" || model.load_checkpoint === null) return [];
  const path = await weightsAt(model.load_checkpoint);
  if (path === null || (await judgeFile(path, "lora", [])) !== null) return [];
  const { targets } = matchTargets(transformerLayout(config), lora.target_modules);
  const wanted = targets.flatMap(({ module, inputs, outputs }): WantedTensor[] => [
    { name: `${module}.lora_A.weight`, shape: [lora.rank, inputs] },
    { name: `${module}.lora_B.weight`, shape: [outputs, lora.rank] },
  ]);
  return examineLora(path, wanted, lora);
}

/** Null where there is none; `checkFiles` reports a path that is wrong, and a file of something else. */
async function weightsAt(path: string): Promise<string | null> {
  try {
    return await findWeights(path);
  } catch (error) {
    if (error instanceof FindingsError) return null;
    throw error;
  }
}
