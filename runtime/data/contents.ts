/** Whether data files are still what they were, from a few pieces of each: reading all of them would take as long as an epoch. */
import { createHash } from "node:crypto";
import { openFile, type OpenFile } from "../files/read-bytes.ts";
import type { Sample } from "./dataset.ts";

/** By role, a code of `CODE_LENGTH` characters for each sample's file. */
export type Contents = Readonly<Record<string, string>>;

/**
 * Pieces of a file that are looked at, evenly spread, and the bytes of each. The last one holds the directory of a `.pt` file, which has
 * a checksum of each tensor.
 */
const [PIECES, PIECE_BYTES] = [3, 4096];
/** Files that are read at the same time: on network disks the answers take longer than the reading. */
const CONCURRENCY = 32;

/** Characters of a code, 6 bits each. */
const CODE_LENGTH = 8;
/** The code of an optional source that a sample lacks. */
const ABSENT = "-".repeat(CODE_LENGTH);
/** The code of a file that can not be read, which is told when it is needed. */
const UNKNOWN = "?".repeat(CODE_LENGTH);

/** The codes of all files of the samples, from bounded reads of each. */
export async function contentsOf(samples: readonly Sample[]): Promise<Contents> {
  const roles = [...new Set(samples.flatMap(({ files }) => Object.keys(files)))];
  const codes = new Map(roles.map((role) => [role, [] as string[]]));
  const shared = new Set(roles.flatMap((role) => sharedPath(samples, role) ?? []));
  const files = samples.flatMap(({ files }, i) => roles.map((role) => ({ role, i, path: files[role] ?? null })));
  // A file that all samples share is read once.
  const known = new Map<string, Promise<string>>();
  const codeOfPath = (path: string | null): Promise<string> => {
    if (path === null) return Promise.resolve(ABSENT);
    const code = known.get(path) ?? codeOf(path);
    if (shared.has(path)) known.set(path, code);
    return code;
  };
  let next = 0;
  const worker = async () => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      const list = codes.get(file.role);
      if (list !== undefined) list[file.i] = await codeOfPath(file.path);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return Object.fromEntries(Array.from(codes, ([role, list]) => [role, list.join("")]));
}

/** The one file that all samples have in this role, or null. */
function sharedPath(samples: readonly Sample[], role: string): string | null {
  const path = samples[0]?.files[role];
  return path !== undefined && samples.every(({ files }) => files[role] === path) ? path : null;
}

/** A code of what is in a file, from bounded reads; one for all that cannot be read. */
export async function codeOf(path: string): Promise<string> {
  try {
    const file = await openFile(path);
    try {
      return await codeOfFile(file);
    } finally {
      file.close();
    }
  } catch {
    return UNKNOWN;
  }
}

async function codeOfFile(file: OpenFile): Promise<string> {
  const { size } = file.stats;
  const hash = createHash("sha256").update(`${size}\n`);
  if (size <= PIECES * PIECE_BYTES) hash.update(await file.read(0, size));
  else {
    const last = size - PIECE_BYTES;
    const starts = Array.from({ length: PIECES }, (_, i) => Math.floor((last * i) / (PIECES - 1)));
    for (const piece of await Promise.all(starts.map((start) => file.read(start, PIECE_BYTES)))) hash.update(piece);
  }
  return hash.digest("base64url").slice(0, CODE_LENGTH);
}

/** The keys of files with other contents; one that only one of both has, or that is unknown in one, has not changed. */
export function changedCodes(before: Contents = {}, now: Contents = {}): readonly string[] {
  return Object.keys(now).filter((key) => {
    const codes = [before[key], now[key]];
    return !codes.includes(undefined) && !codes.includes(UNKNOWN) && codes[0] !== codes[1];
  });
}

/** The files that changed from `before` to `now`, by role and the sample's place; a file that is unknown in one of them has not. */
export function changedFiles(
  before: Contents,
  now: Contents,
): readonly { readonly role: string; readonly sample: number }[] {
  return Object.entries(now).flatMap(([role, codes]) => {
    const earlier = before[role];
    // Other samples are told as such.
    if (earlier?.length !== codes.length) return [];
    const changed: { role: string; sample: number }[] = [];
    for (let sample = 0; sample * CODE_LENGTH < codes.length; sample++) {
      const [old, recent] = [earlier, codes].map((all) => all.slice(sample * CODE_LENGTH, (sample + 1) * CODE_LENGTH));
      if (old !== recent && old !== UNKNOWN && recent !== UNKNOWN) changed.push({ role, sample });
    }
    return changed;
  });
}
