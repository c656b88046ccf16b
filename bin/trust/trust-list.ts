/** What a user trusts: folders, and builds by the hash of their content. A file in the user's own settings, which nobody else may write. */
import { jsonText } from "../../compiler/source/index.ts";
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UsageError } from "../shell/exit.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface Trusted {
  /** Absolute, without links. */
  readonly path: string;
  /** SHA-256 of a build, hexadecimal; null for a folder and all that lies in it. */
  readonly sha256: string | null;
}

/** Path of the list; `XDG_CONFIG_HOME` or `APPDATA` move it, as they do for other programs. */
export function trustListPath(env: Env): string {
  const { XDG_CONFIG_HOME: chosen, APPDATA: roaming, HOME: home } = env;
  if (chosen !== undefined && chosen !== "") return join(chosen, "ltxc", "trusted.json");
  if (process.platform === "win32" && roaming !== undefined) return join(roaming, "ltxc", "trusted.json");
  return join(home === undefined || home === "" ? homedir() : home, ".config", "ltxc", "trusted.json");
}

/** The list, empty where there is none. Throws `UsageError` if somebody else may have written it, or if it is damaged. */
export function readTrusted(env: Env): readonly Trusted[] {
  const path = trustListPath(env);
  const text = readOwn(path);
  if (text === null) return [];
  const list = listIn(text);
  if (list === null) throw new UsageError(`${path} is damaged`, "delete it, then `ltxc trust` what you trust again");
  return list;
}

/** Replaces the list. Throws `UsageError` if it cannot be written. */
export function writeTrusted(env: Env, trusted: readonly Trusted[]): void {
  const path = trustListPath(env);
  const sorted = trusted.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const draft = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(draft, `${jsonText({ version: 1, trusted: sorted }, 2)}\n`, { mode: 0o600, flag: "wx" });
    renameSync(draft, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UsageError(`${path} cannot be written (${code})`, "set the environment variable LTXC_TRUST instead");
  }
}

/** The text of a regular file that only this user or root may write; null if there is none. */
function readOwn(path: string): string | null {
  const file = openOwn(path);
  if (file === null) return null;
  try {
    const { uid, mode, size } = fstatSync(file);
    const me = process.geteuid?.();
    const isOurs = me === undefined || uid === me || uid === 0;
    const help = "delete it, or make it yours and `chmod 600` it";
    if (!fstatSync(file).isFile() || size > MAX_BYTES)
      throw new UsageError(`${path} is no list of what is trusted`, help);
    if (!isOurs) throw new UsageError(`${path} belongs to another user (uid ${uid}) and is not followed`, help);
    if (me !== undefined && (mode & 0o022) !== 0)
      throw new UsageError(`others may write ${path}, so it is not followed`, help);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

const MAX_BYTES = 2 ** 20;

/** Neither follows a link nor waits for a pipe's other end. */
function openOwn(path: string): number | null {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  try {
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new UsageError(`${path} cannot be read (${code})`, "it lists what you trust: make it a file of your own");
  }
}

function listIn(text: string): readonly Trusted[] | null {
  try {
    const { trusted } = JSON.parse(text) as { readonly trusted?: unknown };
    return Array.isArray(trusted) && trusted.every(isTrusted) ? trusted : null;
  } catch {
    return null;
  }
}

function isTrusted(entry: unknown): entry is Trusted {
  if (typeof entry !== "object" || entry === null) return false;
  const { path, sha256 } = entry as Partial<Record<keyof Trusted, unknown>>;
  return typeof path === "string" && (sha256 === null || (typeof sha256 === "string" && /^[\da-f]{64}$/.test(sha256)));
}
