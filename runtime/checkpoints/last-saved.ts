/** Which checkpoint of a run's folder is the last one. File times say nothing: copying a folder changes them. */
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail, FindingsError, type Finding } from "../findings.ts";
import { openFile } from "../files/read-bytes.ts";
import { openSafetensors } from "../files/safetensors/index.ts";
import { existsSync } from "node:fs";
import { isWeights, statePath, stepOf } from "./checkpoint-files.ts";
import { metadataOf, runKey } from "./prune.ts";
import { savedFingerprint, strayState } from "./training-state.ts";

/** A checkpoint to go on from. */
interface Found {
  /** The weights file. */
  readonly path: string;
  /** LTX6350 for each later checkpoint that is broken. */
  readonly warnings: readonly Finding[];
}

/**
 * The last checkpoint of the run in an output folder whose files are whole, or null where there is none at all.
 * @param isThorough compares contents with their checksums; without it, headers and sizes alone are looked at
 * @throws FindingsError LTX6351 when there are checkpoints and every one is broken
 */
export async function lastSaved(outputDirectory: string, isThorough = true): Promise<Found | null> {
  const warnings: Finding[] = [];
  for (const path of await lastFirst(outputDirectory)) {
    const reason = await whyBroken(path, isThorough);
    if (reason === null) return { path, warnings };
    const message = `the checkpoint ${path} is broken, so the run goes on from the one before: ${reason}`;
    const help =
      "its steps are trained again; see that the disk is not full and was not removed, and that the folder was copied completely";
    warnings.push({ code: "LTX6350", severity: "warning", path: ["output_dir"], message, help });
  }
  const [first] = warnings;
  if (first === undefined) return null;
  const help = "copy the folder again from where it is whole, or begin anew without `--resume`";
  const reason = first.message.split(": ").slice(1).join(": ");
  return fail("LTX6351", `none of the ${warnings.length} checkpoints in ${outputDirectory} is whole: ${reason}`, help, [
    "output_dir",
  ]);
}

/** The last whole checkpoint of the same run below the step of these weights, with its training state; null where there is none. */
export async function lastBefore(weights: string): Promise<string | null> {
  const folder = dirname(weights);
  const run = (await metadataOf(weights))?.[runKey];
  const earlier = (await readdir(folder)).filter((file) => isWeights(file) && stepOf(file) < stepOf(weights));
  for (const file of earlier.toSorted((a, b) => stepOf(b) - stepOf(a))) {
    const path = join(folder, file);
    const isSameRun = (await metadataOf(path))?.[runKey] === run;
    if (isSameRun && existsSync(statePath(path) ?? "") && (await whyBroken(path, true)) === null) return path;
  }
  return null;
}

/**
 * The weights of a folder, the last one first. `metrics.jsonl` tells which steps the last run in this folder saved: an earlier, longer
 * run may have left higher ones behind. Where it tells nothing, the highest step is the last one, and the others count that its run saved.
 */
async function lastFirst(outputDirectory: string): Promise<readonly string[]> {
  const folder = join(outputDirectory, "checkpoints");
  const files = (await readdir(folder).catch(() => [])).filter(isWeights);
  const saved = savedSteps(await tailOf(join(outputDirectory, "metrics.jsonl")));
  const own = files.filter((file) => saved.has(stepOf(file)));
  const chosen = own.length > 0 ? own : await ofLastRun(folder, files);
  return chosen.toSorted((a, b) => stepOf(b) - stepOf(a)).map((file) => join(folder, file));
}

/** The files that name the same run as the one with the highest step, and those that name none. */
async function ofLastRun(folder: string, files: readonly string[]): Promise<readonly string[]> {
  const runs = new Map<string, string | null>();
  for (const file of files) runs.set(file, (await metadataOf(join(folder, file)))?.[runKey] ?? null);
  const highestFirst = files.toSorted((a, b) => stepOf(b) - stepOf(a));
  const last = highestFirst.map((file) => runs.get(file)).find((run) => run !== null);
  return files.filter((file) => [null, last].includes(runs.get(file) ?? null));
}

/** How much of a run's metrics is looked at, from the end, in bytes: about 100,000 steps. */
const MOST_METRICS = 2 ** 26;

async function tailOf(path: string): Promise<string> {
  const file = await openFile(path).catch(() => null);
  if (file === null) return "";
  try {
    const begin = Math.max(0, file.stats.size - MOST_METRICS);
    return (await file.read(begin, file.stats.size - begin)).toString();
  } catch {
    return "";
  } finally {
    file.close();
  }
}

/**
 * The steps after which the last run saved, and those that it went on from. Its very last step counts, too: the process may have been
 * killed between writing the weights and telling so.
 */
function savedSteps(metrics: string): ReadonlySet<number> {
  let saved: number[] = [];
  let last = -1;
  for (const [, type, step] of metrics.matchAll(/^\{"type":"(started|step|checkpoint)","globalStep":(\d+)/gm)) {
    const done = Number(step);
    // A resumed run makes the steps after its beginning anew; one from step 0 is another run.
    if (type === "started") saved = done === 0 ? [] : saved.filter((earlier) => earlier <= done);
    if (type === "checkpoint") saved.push(done);
    last = done;
  }
  return new Set([...saved, last]);
}

/** Why a checkpoint can not be gone on from; null when its files are whole. */
async function whyBroken(weights: string, isThorough: boolean): Promise<string | null> {
  const state = statePath(weights);
  try {
    await metadataOfWhole(weights, isThorough);
    if (state === null || !existsSync(state)) return null;
    const metadata = await metadataOfWhole(state, isThorough);
    if (savedFingerprint(metadata) === null) return `${state} is not a training state`;
    const stray = strayState(metadata, stepOf(weights));
    return stray === null ? null : `${state}: ${stray}`;
  } catch (error) {
    if (error instanceof FindingsError) return error.findings[0]?.message ?? "";
    // A folder in its place, a disk that fails: what the system says.
    return `${weights}: ${String(error)}`;
  }
}

async function metadataOfWhole(path: string, isThorough: boolean): Promise<Readonly<Record<string, string>>> {
  const file = await openSafetensors(path);
  try {
    if (isThorough) await file.verify();
    return file.metadata;
  } finally {
    await file.close();
  }
}
