import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open, mkdir, readdir, rename, rm, stat, statfs, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fail, FindingsError, type Finding } from "../findings.ts";
import { processExists } from "../process-exists.ts";
import { otherKind } from "./regular-file.ts";

/** Writes chunks one after the other; one with a `position` goes there, over what was written before. */
export type Sink = (chunk: Uint8Array, position?: number) => Promise<void>;

let temporaries = 0;

/** Next to the file, so that a rename is enough; `removeLeftovers` knows it. */
const temporaryName = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${process.pid}.${temporaries++}.tmp`);

/**
 * Makes or replaces a file of `size` bytes as a whole: `write` fills a temporary sibling, which is flushed to the disk and renamed over
 * `path`, with the permissions of the file that it replaces. Whatever goes wrong, the old file stays as it was and the temporary one is
 * removed. Missing folders are made. A link at `path` is replaced, not followed.
 * Errors: FindingsError LTX6190 (no space), LTX6191 (not allowed), LTX6193 (a device or a pipe is there), naming the file.
 */
export async function writeAtomically(path: string, size: number, write: (sink: Sink) => Promise<void>): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, "wx", await replacedMode(path));
    try {
      await write((chunk, position) => writeWhole(file, chunk, position));
      await file.sync();
    } finally {
      await file.close();
    }
    await replacedMode(path);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw await explainWriteError(error, path, size);
  }
  await syncFolder(dirname(path));
}

/**
 * Makes or replaces a file that a program writes: `make` gets the name of a temporary sibling, which is renamed over `path` afterwards.
 * Whatever goes wrong, the old file stays as it was and the temporary one is removed. Errors: those of `writeAtomically`, and of `make`.
 */
export async function replaceAtomically(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await makeFolder(dirname(path));
    await replacedMode(path);
    await make(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw await explainWriteError(error, path, 0);
  }
  await syncFolder(dirname(path));
}

/**
 * The permissions of the regular file at `path`, or those of a new file. A rename would replace anything else as well: as root even a
 * device. Errors: FindingsError LTX6193.
 */
async function replacedMode(path: string): Promise<number> {
  const info = await stat(path).catch(() => null);
  if (info === null) return 0o666;
  const kind = otherKind(info);
  // A folder is in the way of the rename, which says so.
  if (kind === null || info.isDirectory()) return kind === null ? info.mode & 0o777 : 0o666;
  return fail(
    "LTX6193",
    `${path} is ${kind}, and a file is to be written there`,
    "remove it, or choose another place",
    place,
  );
}

/** Removes what processes that were killed had begun to write in a folder. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const writer = /^\..*\.(\d+)\.\d+\.tmp$/.exec(name)?.[1];
    if (writer !== undefined && !processExists(Number(writer))) await rm(join(folder, name), { force: true });
  }
}

export function writeTextAtomically(path: string, text: string): Promise<void> {
  const bytes = Buffer.from(text, "utf8");
  return writeAtomically(path, bytes.length, (sink) => sink(bytes));
}

/**
 * Makes a folder and those above it. `mkdir` with `recursive` would try for ever where the system says of a new folder that there is
 * none above it, as it does below /proc.
 */
export async function makeFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  await mkdir(folder).catch(async (error: unknown) => {
    // Somebody else may have made it meanwhile.
    if (!(await isFolder(folder))) throw error;
  });
}

async function isFolder(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => null);
  return info !== null && info.isDirectory();
}

/** As `makeFolder`, for places that cannot wait. Errors: those of the system. */
export function makeFolderSync(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(folder) !== folder) makeFolderSync(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

/** As `writeTextAtomically`, for small files that nothing depends on: it does not wait for the disk. Errors: those of the system. */
export function replaceTextSync(path: string, text: string): void {
  const temporary = temporaryName(path);
  try {
    const descriptor = openSync(temporary, "wx");
    try {
      writeFileSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** A write may take part of the chunk only, most of all on a disk that is nearly full. */
async function writeWhole(file: FileHandle, chunk: Uint8Array, position?: number): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength;) {
    const at = position === undefined ? null : position + offset;
    const { bytesWritten } = await file.write(chunk, offset, chunk.byteLength - offset, at);
    offset += bytesWritten;
  }
}

/** Makes the rename itself survive a power loss. Not every platform can open a folder; there it is left to the system. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => null);
  if (handle === null) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
}

/** What is free in a folder for this user; null where the system does not tell. */
async function freeSpace(folder: string): Promise<number | null> {
  const info = await statfs(folder).catch(() => null);
  return info === null ? null : info.bavail * info.bsize;
}

const count = (bytes: number) => bytes.toLocaleString("en");

/** The setting that findings about output files point at: runs write them all below it. Commands with an option of their own name that. */
const place: Finding["path"] = ["output_dir"];

const noSpace = "no file that was there before is touched; free some space, or choose another output folder";

/** What the system says when a file cannot be written, in words, and what helps. */
const refusals: Readonly<Record<string, readonly [why: string, help: string]>> = {
  ...each(["EACCES", "EPERM"], "no permission", "choose another output folder, or change its permissions"),
  EROFS: ["its file system is read-only", "choose another output folder, or mount it so that it can be written"],
  ...each(
    ["ENOTDIR", "EEXIST", "EISDIR"],
    "a part of the path is a file where a folder is needed, or the reverse",
    "choose another output folder",
  ),
  ...each(["ENOENT", "ENAMETOOLONG", "ELOOP"], "no such folder can be made", "choose another output folder"),
  EFBIG: [
    "it is larger than its file system, or the limit of this process (`ulimit -f`), allows",
    "raise the limit, or choose another output folder",
  ],
  ...each(["EMFILE", "ENFILE"], "too many files are open", "raise the limit (`ulimit -n`), or end other programs"),
  ...each(
    ["EIO", "ENXIO", "ENODEV", "ESTALE", "ETIMEDOUT", "EHOSTDOWN", "ENOTCONN"],
    "the disk, or the connection to it, has failed",
    "look at the disk; no file that was there before is touched",
  ),
};

function each(
  codes: readonly string[],
  why: string,
  help: string,
): Readonly<Record<string, readonly [string, string]>> {
  return Object.fromEntries(codes.map((code) => [code, [why, help]]));
}

/** The finding LTX6190 or LTX6191 for an error of the system while `size` bytes of `path` were written; any other error as it is. */
export async function explainWriteError(error: unknown, path: string, size: number): Promise<unknown> {
  const { code = "" } = error as NodeJS.ErrnoException;
  const refused = (id: string, message: string, help: string): FindingsError =>
    new FindingsError([{ code: id, severity: "error", path: place, message, help }]);
  if (code === "ENOSPC" || code === "EDQUOT") {
    const free = await freeSpace(dirname(path));
    // Of a lock and the like, how large they are says nothing.
    const needs = size === 0 ? [] : [`it needs ${count(size)} bytes`];
    const has = free === null ? [] : [`${count(free)}${size === 0 ? " bytes" : ""} are free`];
    const numbers = [...needs, ...has].join(", ");
    const quota = code === "EDQUOT" ? " within your quota (`quota` shows it)" : "";
    return refused("LTX6190", `no space left for ${path}${quota}${numbers && `: ${numbers}`}`, noSpace);
  }
  const refusal = Object.hasOwn(refusals, code) ? refusals[code] : undefined;
  if (refusal === undefined) return error;
  return refused("LTX6191", `${path} cannot be written: ${refusal[0]} (${code})`, refusal[1]);
}
