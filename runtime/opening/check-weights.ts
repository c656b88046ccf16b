import { findWeights } from "../checkpoints/checkpoint-files.ts";
import { examineLora, type WantedTensor } from "../checkpoints/fit-lora.ts";
import { examineModelWeights } from "../checkpoints/model-weights.ts";
import { loraOf } from "../config/index.ts";
import type { RunConfig } from "../config/run-config.ts";
import { judgeFile } from "../files/kinds/index.ts";
import { FindingsError, type Finding } from "../findings.ts";
import type { ExaminedModel } from "../model/checkpoint.ts";
import { matchTargets } from "../model/lora.ts";
import { transformerLayout } from "../model/parameters.ts";

/**
 * Judges the weights that a run is to begin with, as the run does when it loads them: of a LoRA its numbers, too, of a full training's
 * model its header.
 * @returns warnings
 * @throws FindingsError LTX6311 and LTX6360 to LTX6367, those of `examineLora`
 */
export async function checkWeights(run: RunConfig, { config, parameters }: ExaminedModel): Promise<readonly Finding[]> {
  const { model } = run;
  const { training_mode: mode } = model;
  const lora = loraOf(run);
  if (model.load_checkpoint === null || (mode === "lora" && lora === null)) return [];
  const path = await weightsAt(model.load_checkpoint);
  if (path === null || (await judgeFile(path, mode === "full" ? "trained-model" : "lora", [])) !== null) return [];
  if (mode === "full" || lora === null) {
    await examineModelWeights(path, parameters);
    return [];
  }
  const { targets } = matchTargets(transformerLayout(config), lora);
  // A file without adapters says nothing of layers.
  if (targets.length === 0) return [];
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
