import { readdir } from "node:fs/promises";
import { workIn } from "./contents.ts";
import { lockFolder, lockName, tryToLock, type FolderLock } from "./lock.ts";
import { sibling } from "./starting.ts";

/**
 * Locks the folder in which a run begins beside older ones: `folder` itself if no work lies in it, or else the first of `folder-2`,
 * `folder-3`, … that is new or empty. Of runs that look for one at the same time, each gets its own.
 * @throws FindingsError as `lockFolder`, where no folder can be made
 */
export async function lockNewFolder(folder: string): Promise<FolderLock> {
  for (let number = 1; number < 10_000; number++) {
    const candidate = sibling(folder, number);
    const lock = await tryToLock(candidate);
    if (!("release" in lock)) continue;
    if (await (number === 1 ? hasNoWork(candidate) : isEmpty(candidate))) return lock;
    await lock.release();
  }
  return lockFolder(folder);
}

const hasNoWork = async (folder: string): Promise<boolean> => (await workIn(folder)) === null;

/** Apart from its lock, and from what removing an older lock leaves for a moment. */
const isEmpty = async (folder: string): Promise<boolean> =>
  (await readdir(folder)).every((name) => name.startsWith(lockName));
