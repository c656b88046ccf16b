import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RunConfig } from "../config/run-config.ts";
import { writeTextAtomically } from "../files/atomic.ts";
import { checkRunFolder } from "../files/links-out.ts";
import { otherKind } from "../files/regular-file.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { missingFolders, removeEmpty } from "../run-folder/folders.ts";
import { findWeights } from "../checkpoints/checkpoint-files.ts";

/** Throws a finding for each model file that does not exist, or is no file. */
export async function checkFiles({ model }: RunConfig): Promise<void> {
  const findings: Finding[] = [];
  for (const key of ["model_path", "video_vae_path"] as const) {
    const path = model[key];
    const wrong = path === null ? null : await wrongFile(path);
    if (wrong !== null) findings.push({ severity: "error", path: ["model", key], ...wrong });
  }
  if (findings.length > 0) throw new FindingsError(findings);
  if (model.load_checkpoint !== null) await findWeights(model.load_checkpoint);
}

type Wrong = Pick<Finding, "code" | "message"> & { readonly help: string };

/** What is wrong with the path of a model's file; null for a regular file, whatever is in it. */
async function wrongFile(path: string): Promise<Wrong | null> {
  const info = await stat(path).catch(() => null);
  if (info === null) {
    const help = "correct the path; relative ones start at the folder of the run config";
    return { code: "LTX6303", message: `${path} does not exist`, help };
  }
  const kind = otherKind(info);
  if (kind === null) return null;
  return { code: "LTX6170", message: `${path} is ${kind}, not a file`, help: await insteadOf(path) };
}

/** Of many files in a folder, how many are named. */
const SHOWN = 5;

/** The files that were probably meant: those in the folder. */
async function insteadOf(path: string): Promise<string> {
  const names = (await readdir(path).catch((): string[] => [])).filter((name) => name.endsWith(".safetensors"));
  if (names.length === 0) return "name the .safetensors file of the checkpoint";
  const shown = names
    .toSorted()
    .slice(0, SHOWN)
    .map((name) => `\`${join(path, name)}\``);
  const more = names.length > SHOWN ? ` (${names.length} in all)` : "";
  return `name a .safetensors file in it: ${shown.join(", ")}${more}`;
}

/** Whether a path leads to a regular file, so that what is in it can be looked at; if not, `checkFiles` says why. */
export async function isFile(path: string | null): Promise<boolean> {
  return path !== null && (await stat(path).catch(() => null))?.isFile() === true;
}

/** Makes the output folder and writes to it, so that no run fails at its first checkpoint. Folders that were missing are removed again. */
export async function checkOutput({ output_dir }: RunConfig): Promise<void> {
  const checkpoints = join(output_dir, "checkpoints");
  const probe = join(checkpoints, `.probe-${process.pid}`);
  const missing = await missingFolders(checkpoints);
  try {
    await checkRunFolder(output_dir);
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
