import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { RunConfig } from "../config/run-config.ts";
import { writeTextAtomically } from "../files/atomic.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { missingFolders, removeEmpty } from "../run-folder/folders.ts";
import { findWeights } from "../checkpoints/checkpoint-files.ts";

/** Throws a finding for each model file that does not exist. */
export async function checkFiles({ model }: RunConfig): Promise<void> {
  const missing = (["model_path", "video_vae_path"] as const).flatMap((key): Finding[] => {
    const path = model[key];
    if (path === null || existsSync(path)) return [];
    const help = "correct the path; relative ones start at the folder of the run config";
    return [{ code: "LTX6303", severity: "error", path: ["model", key], message: `${path} does not exist`, help }];
  });
  if (missing.length > 0) throw new FindingsError(missing);
  if (model.load_checkpoint !== null) await findWeights(model.load_checkpoint);
}

/** Makes the output folder and writes to it, so that no run fails at its first checkpoint. Folders that were missing are removed again. */
export async function checkOutput({ output_dir }: RunConfig): Promise<void> {
  const checkpoints = join(output_dir, "checkpoints");
  const probe = join(checkpoints, `.probe-${process.pid}`);
  const missing = await missingFolders(checkpoints);
  try {
    await writeTextAtomically(probe, "");
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    throw new FindingsError(error.findings.map((finding) => ({ ...finding, path: ["output_dir"] })));
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
    await removeEmpty(missing);
  }
}

/** Throws when the data set can not fill a single batch, since batches are always full. */
export function checkBatchSize({ optimization, data }: RunConfig, samples: number): void {
  const { batch_size: size } = optimization;
  if (size <= samples) return;
  const message = `a batch holds ${size} samples, ${data.preprocessed_data_root} has ${samples} to train on`;
  const help = `write \`batch_size: ${samples}\` or less, or add samples`;
  const path = ["optimization", "batch_size"];
  throw new FindingsError([{ code: "LTX6301", severity: "error", path, message, help }]);
}
