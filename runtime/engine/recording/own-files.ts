/**
 * Files that only this user can have written, for what is trusted without being looked at in full: nothing that belongs to somebody else
 * or that others may write is read, replaced or deleted, and no link is followed.
 */
import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { dirname } from "node:path";

/** Why a file or folder is not used; null for one that only this user can have written. Windows has neither ids of users nor modes. */
export function distrust({ uid, mode }: Pick<Stats, "uid" | "mode">): string | null {
  const user = process.getuid?.();
  if (user === undefined) return null;
  if (uid !== user) return "belongs to another user";
  return (mode & 0o022) === 0 ? null : "can be written by other users";
}

/** Why a folder is not used; null for one that is right or that does not exist. Errors: those of the system. */
export function distrustOfFolder(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (stats.isDirectory()) return distrust(stats);
  return stats.isSymbolicLink() ? "is a link, and not itself a folder" : "is not a folder";
}

/** A file cannot be used, and why. */
export class Distrusted extends Error {}

/**
 * Reads a regular file of this user's and renews its time, so that it counts as recently used.
 * @throws Distrusted where others can have written it; errors of the system
 */
export function readOwn(path: string, mostBytes: number): Buffer {
  // A FIFO would wait for a writer.
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new Distrusted("is not a file");
    const why = distrust(stats);
    if (why !== null) throw new Distrusted(why);
    if (stats.size > mostBytes) throw new Distrusted(`has ${stats.size} bytes`);
    const now = new Date();
    futimesSync(descriptor, now, now);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes or replaces a file as a whole, for this user alone. Errors: those of the system. */
export function replaceOwn(path: string, content: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, content, { mode: 0o600, flag: "wx" });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Makes a folder for this user alone, and those above it. `mkdirSync` with `recursive` would try for ever below /proc, where the system
 * says of a new folder that there is none above it.
 */
export function makeOwnFolder(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  if (dirname(path) !== path) makeOwnFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
