/** `checkpoints.keep_last_n`: a run deletes its own older checkpoints, never those of another one. */
import { lstat, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openSafetensors } from "../files/safetensors/index.ts";
import { emaPaths, headsPath, isWeights, statePath, stepOf } from "./checkpoint-files.ts";
import type { CheckpointMetadata } from "./checkpoint-metadata.ts";

/** The key under which weights name the run that saved them. */
export const runKey = "ltxc.run";

/** The key under which weights name the evaluation loss of their step. */
export const lossKey = "ltxc.evaluation_loss";

interface Own {
  readonly path: string;
  /** The evaluation loss after its step; null where there was no evaluation. */
  readonly loss: number | null;
}

/** The checkpoints of a folder that the run with this id saved. */
async function ownIn(folder: string, run: string): Promise<readonly Own[]> {
  const own: Own[] = [];
  for (const name of (await readdir(folder).catch(() => [])).filter(isWeights)) {
    const path = join(folder, name);
    const metadata = await metadataOf(path);
    const loss = Number(metadata?.[lossKey] ?? NaN);
    if (metadata?.[runKey] === run) own.push({ path, loss: Number.isFinite(loss) ? loss : null });
  }
  return own;
}

function bestOf(own: readonly Own[]): Own | null {
  const evaluated = own.filter(({ loss }) => loss !== null);
  return evaluated.toSorted((a, b) => (a.loss ?? 0) - (b.loss ?? 0) || stepOf(a.path) - stepOf(b.path))[0] ?? null;
}

/** Whether an evaluation loss is lower than those of all checkpoints of the run in its output folder. */
export async function isBest(outputDirectory: string, run: string, loss: number): Promise<boolean> {
  const best = bestOf(await ownIn(join(outputDirectory, "checkpoints"), run));
  return best?.loss === undefined || best.loss === null || loss < best.loss;
}

interface Kept {
  /** How many checkpoints stay; 0 or less: all. */
  readonly last: number;
  /** Whether the one with the lowest evaluation loss stays in addition. */
  readonly best: boolean;
}

/**
 * Deletes all but the last checkpoints of a run, by their steps, each with its training state, heads and moving average. Checkpoints of other runs, of the
 * official trainer, and files that cannot be read stay.
 * @param newest weights that were just saved; they stay, whatever the steps of the others are
 * @param run the run's id
 */
export async function deleteOlder(newest: string, kept: Kept, run: string): Promise<void> {
  if (kept.last <= 0) return;
  const own = await ownIn(dirname(newest), run);
  const best = kept.best ? bestOf(own)?.path : undefined;
  const others = own.map(({ path }) => path).filter((path) => path !== newest && path !== best);
  for (const old of others.toSorted((a, b) => stepOf(b) - stepOf(a)).slice(kept.last - 1)) {
    // The weights last: a checkpoint is found by them, so what a kill leaves is deleted the next time.
    const files = [statePath(old), headsPath(old), ...Object.values(emaPaths(old) ?? {}), old];
    for (const path of files) if (path !== null) await rm(path, { force: true });
  }
}

/** The metadata of a safetensors file; null if it is no file or cannot be read. */
export async function metadataOf(path: string): Promise<CheckpointMetadata | null> {
  try {
    if (!(await lstat(path)).isFile()) return null;
    const file = await openSafetensors(path);
    await file.close();
    return file.metadata;
  } catch {
    return null;
  }
}
