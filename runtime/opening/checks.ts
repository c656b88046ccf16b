import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RunConfig } from "../config/run-config.ts";
import type { StrategyInfo } from "../contract.ts";
import { writeTextAtomically } from "../files/atomic.ts";
import { checkRunFolder } from "../files/links-out.ts";
import { firstLineOf, isOwnConfig } from "../files/written-by-us.ts";
import { judgeFile } from "../files/kinds/index.ts";
import { fail, FindingsError, type Finding } from "../findings.ts";
import { missingFolders, removeEmpty } from "../run-folder/folders.ts";
import { findWeights } from "../checkpoints/checkpoint-files.ts";

/** Throws a finding for each model file that does not exist or is no file, and for weights to go on from that are something else. */
export async function checkFiles({ model }: RunConfig): Promise<void> {
  const findings: Finding[] = [];
  for (const key of ["model_path", "video_vae_path"] as const) {
    const path = model[key];
    if (path === null || (await isFile(path))) continue;
    const unfit = await judgeFile(path, key === "model_path" ? "transformer" : "video-vae", ["model", key]);
    if (unfit !== null) findings.push(unfit);
  }
  if (findings.length > 0) throw new FindingsError(findings);
  if (model.load_checkpoint === null) return;
  const weights = await findWeights(model.load_checkpoint);
  const role = model.training_mode === "full" ? "trained-model" : "lora";
  const unfit = weights === null ? null : await judgeFile(weights, role, ["model", "load_checkpoint"]);
  if (unfit !== null) throw new FindingsError([unfit]);
}

/** Whether a path leads to a regular file, so that what is in it can be looked at; if not, `checkFiles` says why. */
export async function isFile(path: string | null): Promise<boolean> {
  return path !== null && (await stat(path).catch(() => null))?.isFile() === true;
}

/** Makes the output folder and writes to it, so that no run fails at its first checkpoint. Folders that were missing are removed again. */
export async function checkOutput({ output_dir }: RunConfig, savesConfig = true): Promise<void> {
  const checkpoints = join(output_dir, "checkpoints");
  const probe = join(checkpoints, `.probe-${process.pid}`);
  const missing = await missingFolders(checkpoints);
  try {
    await checkRunFolder(output_dir);
    if (savesConfig) await checkSavedConfig(output_dir);
    await writeTextAtomically(probe, "");
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
    await removeEmpty(missing);
  }
}

/** The run saves its config under this name, where the user's own may lie. */
async function checkSavedConfig(folder: string): Promise<void> {
  const path = join(folder, "training_config.yaml");
  const found = await firstLineOf(path, isOwnConfig);
  if (found === null || found.isOwn) return;
  const message = `${path} is there already, and ltxc did not write it (it begins with \`${found.line}\`): the run would replace it`;
  fail("LTX6187", message, "give that file another name, or choose another `output_dir`", ["output_dir"]);
}

/**
 * Throws where a strategy compares the samples of a batch and there is one in each, or nothing is left to evaluate. Returns what
 * evaluations leave out.
 */
export function checkOthers({ optimization, evaluation }: RunConfig, strategy: StrategyInfo): readonly Finding[] {
  const { losses, smallestBatch = 1 } = strategy;
  if (optimization.batch_size < smallestBatch) {
    const message = `the strategy compares the samples of a batch, but \`batch_size\` is ${optimization.batch_size}`;
    const help = `write \`batch_size: ${smallestBatch}\` or more; gradient accumulation does not help, as only samples of one batch meet`;
    const path = ["optimization", "batch_size"];
    throw new FindingsError([{ code: "LTX6146", severity: "error", path, message, help }]);
  }
  const left = losses.filter(({ others }) => others === true).map(({ name }) => `\`${name}\``);
  if (evaluation.samples === 0 || left.length === 0) return [];
  const isAll = left.length === losses.length;
  const message = `an evaluation has one sample at a time, so it leaves out ${left.join(", ")}, which compare the samples of a batch`;
  const help = isAll
    ? "nothing is left to evaluate: write what a sample has for itself as a term of its own, or leave `evaluation` out"
    : "the losses of evaluations are those of the other terms";
  const found: Finding = {
    code: "LTX6147",
    severity: isAll ? "error" : "warning",
    path: ["evaluation"],
    message,
    help,
  };
  if (isAll) throw new FindingsError([found]);
  return [found];
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
