/** One run, one folder: the lock of `output_dir`. */
import { readFileSync, rmSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { explainWriteError, makeFolder } from "../files/atomic.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { missingFolders, removeEmpty } from "./folders.ts";
import { orphanOf, patienceSeconds } from "./holder.ts";
import { addChild, giveBack, holderOf, takeLock, type HeldLock, type TakenLock } from "./lock-file.ts";
import { giveSignsOfLife } from "./sign-of-life.ts";
import { nextTo } from "./starting.ts";
import { cut } from "./wording.ts";

export const lockName = "run.lock";
const place: Finding["path"] = ["output_dir"];

export interface FolderLock {
  readonly folder: string;
  /** Writes into the lock that a process which this one has started works in the folder, too: whoever finds only that one running says so. */
  share(pid: number): Promise<void>;
  /** Removes the lock, and the folders that were made for it if nothing was written into them. */
  release(): Promise<void>;
}

/**
 * Locks a run's folder, which is made if it is missing. No other run, of this machine or of one that shares the file system, can then
 * lock it until `release` or until this process has ended.
 * @throws FindingsError LTX6340 where another run has it; LTX6190, LTX6191 where the folder cannot be written
 */
export async function lockFolder(folder: string, { isOfficial = false }: Advice = {}): Promise<FolderLock> {
  const lock = await tryToLock(folder);
  if ("release" in lock) return lock;
  throw new FindingsError([refusalOf(folder, lock, isOfficial)]);
}

interface Advice {
  /** Whether it is a run of the official trainer, which has no `--new`. */
  readonly isOfficial?: boolean;
}

/** As `lockFolder`, but tells who has the lock instead of failing. */
export async function tryToLock(folder: string): Promise<FolderLock | HeldLock> {
  const missing = await missingFolders(folder);
  const path = join(folder, lockName);
  try {
    await makeFolder(folder);
    const result = await takeLock(path);
    if ("held" in result) return result.held;
    await removeClaims(path, result.taken.holder.token);
    return locked(folder, result.taken, missing);
  } catch (error) {
    await removeEmpty(missing);
    throw await explainWriteError(error, path, 0);
  }
}

function locked(folder: string, taken: TakenLock, missing: readonly string[]): FolderLock {
  const path = join(folder, lockName);
  let callOff = giveSignsOfLife(taken);
  held.set(path, taken.text);
  if (held.size === 1) process.on("exit", removeHeld);
  let isHeld = true;
  return {
    folder,
    async share(pid) {
      await callOff();
      const shared = addChild(taken, pid);
      callOff = giveSignsOfLife(shared);
      held.set(path, shared.text);
    },
    async release() {
      if (!isHeld) return;
      isHeld = false;
      held.delete(path);
      if (held.size === 0) process.off("exit", removeHeld);
      await callOff();
      await giveBack(path, taken);
      await removeEmpty(missing);
    },
  };
}

/** Texts of this process's locks by their paths, for an end that does not wait, as that by a second Ctrl-C. */
const held = new Map<string, string>();

function removeHeld(): void {
  for (const [path, text] of held) {
    try {
      if (readFileSync(path, "utf8") === text) rmSync(path);
    } catch {
      // The next start sees that this process has ended.
    }
  }
}

/** What processes left behind that were killed while they looked at an older lock. Whoever still does looks again before removing anything. */
async function removeClaims(path: string, token: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    const isOld = name.startsWith(`${basename(path)}.`) && !name.includes(token);
    if (isOld) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

/** What `lockFolder` would refuse now, without locking: a warning, since it may be another thing when a run begins. Null where nothing. */
export async function lockWarning(folder: string, { isOfficial = false }: Advice = {}): Promise<Finding | null> {
  const found = await holderOf(join(folder, lockName)).catch(() => null);
  return found === null ? null : { ...refusalOf(folder, found, isOfficial), severity: "warning" };
}

/** Says who holds the lock, since when, and what can be done. */
function refusalOf(folder: string, { holder, age, standing }: HeldLock, isOfficial: boolean): Finding {
  const lock = join(folder, lockName);
  const other = `train in another folder: \`${isOfficial ? `--set output_dir=${nextTo(folder)}` : "ltxc run --new"}\``;
  if (holder === null) {
    const message = `${folder} cannot be locked: ${lock} is there and was not written by ltxc`;
    return refusal(message, `delete it if nothing uses it, or ${other}`);
  }
  const orphan = orphanOf(holder);
  if (orphan !== null) {
    const message = `${folder} is in use: process ${orphan} still trains there, though the run that started it has ended (${cut(holder.command)})`;
    return refusal(message, `wait until it ends, end it with \`kill -- -${orphan}\`, or ${other}`);
  }
  const who = `process ${holder.pid} on ${cut(holder.host)}`;
  const seen = standing === "running" ? "" : `, last seen ${Math.max(0, Math.round(age))} s ago`;
  const message = `${folder} is in use by another run: ${who}, since ${cut(holder.since)}${seen} (${cut(holder.command)})`;
  const doubt =
    standing === "running"
      ? ""
      : `; if that run is sure to have ended, delete ${lock}, or try again once it was not seen for ${patienceSeconds} s`;
  return refusal(message, `wait until it ends, or ${other}${doubt}`);
}

function refusal(message: string, help: string): Finding {
  return { code: "LTX6340", severity: "error", path: place, message, help };
}
