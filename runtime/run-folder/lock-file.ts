/**
 * A lock is a file that only one process can make. Nothing else is asked of the file system: no hard links, no locks of its own.
 *
 * The lock of a holder that has ended must be removed by one process alone: of two that remove it, the slower one could remove what the
 * faster one has made in its place. So whoever removes it first takes the lock `PATH.TOKEN`, named by the token of the one to remove, and
 * looks again. That one is taken in the same way, so a process that ends in between blocks nobody.
 */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { open, lstat, readFile, rm, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { jsonText } from "../escape.ts";
import { parseHolder, standingOf, thisProcess, withChild, type Holder } from "./holder.ts";

/** A lock that this process has taken. The handle stays open for signs of life, which then reach this file and no other. */
export interface TakenLock {
  readonly holder: Holder;
  readonly text: string;
  /** Of the part that is needed: programs that import ltxc's types need none of Node's. */
  readonly handle: { readonly fd: number; close(): Promise<void> };
}

/** A lock as somebody else has it. */
export interface HeldLock {
  /** Null where the file is not that of a holder. */
  readonly holder: Holder | null;
  /** Seconds since the last sign of life. */
  readonly age: number;
  readonly standing: "running" | "unseen";
}

/** A file without a holder is being written, or was when its machine stopped. */
const writingSeconds = 30;
const maxBytes = 4096;
const unreadable = "unreadable";

/**
 * Takes the lock `path`, or tells who has it.
 * @throws the system's errors for a folder in which no file can be made
 */
export async function takeLock(path: string): Promise<{ readonly taken: TakenLock } | { readonly held: HeldLock }> {
  for (let tries = 0; ; tries++) {
    const me = thisProcess();
    const taken = await create(path, me);
    if (taken !== null) return { taken };
    const found = await look(path);
    if (found === null) continue;
    const { holder, age, standing } = await judged(path, found, me);
    if (standing === "ended") await clear(path, found);
    else if (standing === "running" || holder !== null || tries > 10) return { held: { holder, age, standing } };
    else await sleep(50);
  }
}

/** Who has the lock `path`, without taking it; null where nobody has. */
export async function holderOf(path: string): Promise<HeldLock | null> {
  const found = await look(path);
  if (found === null) return null;
  const { holder, age, standing } = await judged(path, found, thisProcess());
  return standing === "ended" ? null : { holder, age, standing };
}

async function judged(path: string, { holder, isFile, time }: Found, me: Holder) {
  const age = holder !== null && isSeen(holder, me) ? 0 : await ageOf(path, time);
  const standing = holder === null ? unwritten(age, isFile) : standingOf(holder, age, me);
  return { holder, age, standing };
}

const unwritten = (age: number, isFile: boolean) => (isFile && age > writingSeconds ? "ended" : "unseen");
const isSeen = (holder: Holder, me: Holder): boolean => standingOf(holder, Infinity, me) === "running";

/** Gives a lock back, if it is still this process's. */
export async function giveBack(path: string, { holder, handle }: TakenLock): Promise<void> {
  await handle.close().catch(() => undefined);
  const found = await look(path);
  if (found?.token === holder.token) await rm(path, { force: true });
}

/** The lock with a process in it that this one has started. Its text only grows, so nothing of the old one is left behind it. */
export function addChild(taken: TakenLock, pid: number): TakenLock {
  const holder = withChild(taken.holder, pid);
  const text = textOf(holder);
  writeSync(taken.handle.fd, text, 0);
  return { ...taken, holder, text };
}

const textOf = (holder: Holder): string => `${jsonText(holder, 2)}\n`;

async function create(path: string, holder: Holder): Promise<TakenLock | null> {
  const text = textOf(holder);
  let handle: FileHandle;
  try {
    handle = await open(path, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return null;
    throw error;
  }
  try {
    await handle.write(text, 0);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await rm(path, { force: true });
    throw error;
  }
  return { holder, text, handle };
}

interface Found {
  readonly holder: Holder | null;
  readonly token: string;
  /** Of the last sign of life, in ms by the file system's clock. */
  readonly time: number;
  readonly isFile: boolean;
}

/** The lock as it is now; null where there is none. */
async function look(path: string): Promise<Found | null> {
  try {
    const info = await lstat(path);
    const isReadable = info.isFile() && info.size <= maxBytes;
    const holder = isReadable ? parseHolder(await readFile(path, "utf8")) : null;
    return { holder, token: holder?.token ?? unreadable, time: info.mtimeMs, isFile: info.isFile() };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw error;
  }
}

/** Seconds since `time`, by the clock that dates the folder's files: that of another host may differ from ours. */
async function ageOf(path: string, time: number): Promise<number> {
  const probe = `${path}.clock-${randomBytes(8).toString("hex")}`;
  const handle = await open(probe, "wx");
  try {
    return ((await handle.stat()).mtimeMs - time) / 1000;
  } finally {
    await handle.close();
    await rm(probe, { force: true });
  }
}

/** Removes the lock that was found, and no other that has come in its place; somebody else may be doing the same. */
async function clear(path: string, { token, time }: Found): Promise<void> {
  const claim = `${path}.${token}`;
  const result = await takeLock(claim);
  if ("held" in result) return sleep(20);
  try {
    const now = await look(path);
    // A file without a holder is known by its time alone.
    if (now?.token === token && (now.holder !== null || now.time === time)) await rm(path, { force: true });
  } finally {
    await giveBack(claim, result.taken);
  }
}
