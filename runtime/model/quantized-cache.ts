/**
 * The folder of the user's cache that quantized weights are kept in. What lies there chooses what a run computes, so only files are used that
 * nobody else can have written, and that are what was written: a code next to each, of its size and of pieces of it, says so.
 */
import { lstatSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../engine/recording/cache-folder.ts";
import {
  distrust,
  Distrusted,
  distrustOfFolder,
  makeOwnFolder,
  readOwn,
  replaceOwn,
} from "../engine/recording/own-files.ts";
import { explainWriteError } from "../files/atomic.ts";
import { fail, FindingsError, type Finding } from "../findings.ts";
import { checkpointHash } from "./checkpoint-hash.ts";

const place: Finding["path"] = ["acceleration", "quantization"];

/** So many files are kept, each about half or a quarter as large as a model: those used last. */
const MOST_FILES = 4;

/** What is not used for so many days is deleted when another file is made. */
const MOST_DAYS = 60;

const ending = ".safetensors";
/** The file with the code of one. */
const codeOf = (path: string): string => `${path}.code`;

const otherFolder = "let the variable XDG_CACHE_HOME name a folder of your own with room for half of the model's size";

/** The folder, which is made where it is not there. @throws FindingsError LTX6394 without one that only this user can write to */
export function quantizedFolder(): string {
  const cache = cacheFolder();
  const help = otherFolder;
  if (cache === null) return fail("LTX6394", "there is no cache folder to keep quantized weights in", help, place);
  const folder = join(cache, "ltxc", "quantized");
  try {
    makeOwnFolder(folder);
  } catch (error) {
    fail("LTX6394", `${folder} cannot be made: ${(error as Error).message}`, help, place);
  }
  const why = distrustOfFolder(folder);
  return why === null ? folder : fail("LTX6394", `${folder} ${why}, so what lies there is not used`, help, place);
}

/** An error while `path` of this folder was written, as a finding about the quantization, not about the run's output; any other as it is. */
export async function aboutCache(error: unknown, path: string): Promise<unknown> {
  const explained = error instanceof FindingsError ? error : await explainWriteError(error, path, 0);
  if (!(explained instanceof FindingsError)) return explained;
  const help = (code: string) => (code === "LTX6190" ? `free some space there, or ${otherFolder}` : otherFolder);
  return new FindingsError(explained.findings.map((found) => ({ ...found, path: place, help: help(found.code) })));
}

/** A folder can not be replaced by a file, which would show when all is quantized. @throws FindingsError LTX6198 */
export function expectNoFolder(path: string): void {
  const inTheWay = [path, codeOf(path)].find((one) => lstatSync(one, { throwIfNoEntry: false })?.isDirectory());
  if (inTheWay === undefined) return;
  fail("LTX6198", `${inTheWay} is a folder, and quantized weights are to be written there`, "remove it", place);
}

/** Why a file is not used; null for one that is as it was written, and then it counts as used now. "" for none at all. */
export async function whyNotUsed(path: string): Promise<string | null> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return "";
  if (!stats.isFile()) return "is no file";
  const why = distrust(stats);
  if (why !== null) return why;
  try {
    const code = readOwn(codeOf(path), 1000).toString("utf8");
    if (code !== (await checkpointHash(path))) return "is damaged";
    const now = new Date();
    utimesSync(path, now, now);
    return null;
  } catch (error) {
    if (error instanceof Distrusted) return error.message;
    if (error instanceof FindingsError || (error as NodeJS.ErrnoException).code !== undefined) return "is damaged";
    throw error;
  }
}

/** Writes down what a file is that was just made, and deletes those that have not been used for long. */
export async function keepQuantized(path: string): Promise<void> {
  replaceOwn(codeOf(path), await checkpointHash(path));
  pruneQuantized(join(path, ".."), path);
}

/** Deletes old files of this user's and of no other, and codes without a file. */
function pruneQuantized(folder: string, keep: string): void {
  const files = readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    const isOurs = name.endsWith(ending) && stats?.isFile() === true && distrust(stats) === null;
    return isOurs && path !== keep ? [{ path, time: stats.mtimeMs }] : [];
  });
  const oldest = Date.now() - MOST_DAYS * 24 * 3600 * 1000;
  const latest = files.toSorted((a, b) => b.time - a.time);
  latest.forEach(({ path, time }, i) => {
    if (i < MOST_FILES - 1 && time >= oldest) return;
    rmSync(path, { force: true });
    rmSync(codeOf(path), { force: true });
  });
}
