/** `checkpoints.keep_last_n`: a run deletes its own older checkpoints, never those of another one. */
import { lstat, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openSafetensors } from "../files/safetensors/index.ts";
import { headsPath, isWeights, statePath, stepOf } from "./checkpoint-files.ts";
import type { CheckpointMetadata } from "./checkpoint-metadata.ts";

/** The key under which weights name the run that saved them. */
export const runKey = "ltxc.run";

/**
 * Deletes all but the last checkpoints of a run, by their steps, each with its training state and heads. Checkpoints of other runs, of the
 * official trainer, and files that cannot be read stay.
 * @param newest weights that were just saved; they stay, whatever the steps of the others are
 * @param keep how many checkpoints stay; 0 or less: all
 * @param run the run's id
 */
export async function deleteOlder(newest: string, keep: number, run: string): Promise<void> {
  if (keep <= 0) return;
  const folder = dirname(newest);
  const names = (await readdir(folder).catch(() => [])).filter(isWeights);
  const others = names.map((name) => join(folder, name)).filter((path) => path !== newest);
  const own: string[] = [];
  for (const path of others) if ((await metadataOf(path))?.[runKey] === run) own.push(path);
  for (const old of own.toSorted((a, b) => stepOf(b) - stepOf(a)).slice(keep - 1)) {
    for (const path of [old, statePath(old), headsPath(old)]) if (path !== null) await rm(path, { force: true });
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
