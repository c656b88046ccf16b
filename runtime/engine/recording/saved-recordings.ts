/**
 * Recordings on disk, so that the next run of the same strategy on the same model does not have to record. They are a cache: a file
 * that can not be read or written is not an error, and the files that have not been used for the longest time are deleted. A file
 * that somebody else can have written, or that is not what was saved, is not used; a note says so.
 */
import { lstatSync, readdirSync, rmSync, type Dirent } from "node:fs";
import { join } from "node:path";
import type { Graph } from "../../graph/graph.ts";
import { isCalls, isGraph, isRecording } from "./check-recording.ts";
import { distrust, Distrusted, distrustOfFolder, makeOwnFolder, readOwn, replaceOwn } from "./own-files.ts";
import type { Call, Recording, SavedRecording } from "./recording.ts";
import { sealed, sha256, unsealed } from "./recording-file.ts";

export interface SavedRecordings {
  /** Those that were there when the folder was opened. */
  readonly all: readonly SavedRecording[];
  /** Saves a recording. It replaces the one that was saved for the same calls. */
  save(calls: readonly Call[], recording: Recording, graph: Graph): void;
}

/** Size of all files together, in bytes. */
const MOST_BYTES = 2 ** 30;
/** Size of one graph's file. A larger one holds large constants, and recording it again costs less than storing it. */
const MOST_GRAPH_BYTES = 2 ** 26;

/** Whether a file, by its name, is a part of a saved recording. */
export const isRecordingFile = (name: string): boolean => Object.values(kinds).some((ending) => name.endsWith(ending));

/** Why a part of a saved recording would not be used; null for one that is right by itself. Errors: those of the system. */
export function faultOf(path: string): string | null {
  try {
    return unsealed(readOwn(path, MOST_GRAPH_BYTES)) === null ? "is damaged" : null;
  } catch (error) {
    if (error instanceof Distrusted) return error.message;
    throw error;
  }
}

/** Of what a recording consists: its calls with what is known of it, and its graph. */
const kinds = { calls: ".calls.recording", graph: ".graph.recording" } as const;

/** What the file of the calls holds. */
interface SavedCalls {
  readonly scope: string;
  readonly calls: readonly Call[];
  readonly recording: Recording;
  /** Checksum of the graph's file. */
  readonly graph: string;
}

/**
 * @param scope everything besides its calls that a recording depends on: program, model, strategy, parameters
 * @param note told, for the user, what is not used and why
 */
export function openSavedRecordings(root: string, scope: string, note: (text: string) => void): SavedRecordings {
  const folder = join(root, shortHash(scope));
  const why = whyNotUsed([root, folder]);
  if (why !== null) {
    note(`saved recordings are not used: ${why}`);
    return { all: [], save: () => {} };
  }
  const told = (path: string, problem: string) => note(`${path} ${problem}; what it holds is recorded anew`);
  return {
    all: namesIn(folder).flatMap((name) => readRecording(folder, name, scope, told) ?? []),
    save(calls, recording, graph) {
      try {
        save(folder, { scope, calls, recording }, graph);
        removeOldest(root);
      } catch {
        // The next process records it again.
      }
    },
  };
}

function whyNotUsed(folders: readonly string[]): string | null {
  try {
    const found = folders.map((folder) => ({ folder, why: distrustOfFolder(folder) })).find(({ why }) => why !== null);
    return found === undefined ? null : `${found.folder} ${found.why}`;
  } catch {
    // Nothing can be read or written there.
    return null;
  }
}

function save(folder: string, { scope, calls, recording }: Omit<SavedCalls, "graph">, graph: Graph): void {
  const { text, checksum } = sealed(graph);
  if (text.length > MOST_GRAPH_BYTES) return;
  makeOwnFolder(folder);
  if (distrustOfFolder(folder) !== null) return;
  const path = join(folder, nameOf(calls));
  replaceOwn(path + kinds.graph, text);
  replaceOwn(path + kinds.calls, sealed({ scope, calls, recording, graph: checksum } satisfies SavedCalls).text);
}

const shortHash = (text: string): string => sha256(text).slice(0, 32);
const nameOf = (calls: readonly Call[]): string => shortHash(calls.map(({ key }) => key).join("\n"));

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((file) =>
      file.endsWith(kinds.calls) ? [file.slice(0, -kinds.calls.length)] : [],
    );
  } catch {
    return [];
  }
}

type Told = (path: string, problem: string) => void;

function readRecording(folder: string, name: string, scope: string, told: Told): SavedRecording | null {
  const path = join(folder, name);
  const saved = read(path + kinds.calls, told);
  if (saved === null) return null;
  const { scope: own, calls, recording, graph } = saved.value as Partial<SavedCalls>;
  if (own !== scope || !isCalls(calls) || nameOf(calls) !== name || !isRecording(recording)) {
    told(path + kinds.calls, "is not what its place says");
    return null;
  }
  return { calls, recording, graph: () => readGraph(path + kinds.graph, graph, told) };
}

function readGraph(path: string, checksum: string | undefined, told: Told): Graph | null {
  const saved = read(path, told);
  if (saved === null) return null;
  if (saved.checksum === checksum && isGraph(saved.value)) return saved.value;
  told(path, "does not belong to the calls next to it");
  return null;
}

/** Null, after a note, for what is damaged or not to be trusted; a file that is gone needs no words. */
function read(path: string, told: Told): { readonly value: object; readonly checksum: string } | null {
  try {
    const { value = null, checksum = "" } = unsealed(readOwn(path, MOST_GRAPH_BYTES)) ?? {};
    if (typeof value === "object" && value !== null) return { value, checksum };
    told(path, "is damaged");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") told(path, error instanceof Distrusted ? error.message : `cannot be read (${code})`);
  }
  return null;
}

/** Deletes those of this user's recordings that have not been used for the longest time, until the rest is small enough. */
function removeOldest(root: string): void {
  const files = filesBelow(root).toSorted((a, b) => a.time - b.time);
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files) {
    if (total <= MOST_BYTES) return;
    rmSync(path, { force: true });
    total -= size;
  }
}

interface OwnFile {
  readonly path: string;
  readonly size: number;
  /** When it was used last. */
  readonly time: number;
}

/** The files of this user's in the folders that belong to scopes. */
function filesBelow(root: string): readonly OwnFile[] {
  const entries = (folder: string): Dirent[] => readdirSync(folder, { withFileTypes: true });
  const folders = entries(root).flatMap((entry) => (entry.isDirectory() ? [join(root, entry.name)] : []));
  const own = folders.filter((folder) => distrustOfFolder(folder) === null);
  return own.flatMap((folder) => entries(folder).flatMap((entry) => ownFile(join(folder, entry.name))));
}

/** Another process may delete it at the same time. */
function ownFile(path: string): readonly OwnFile[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const isOurs = stats?.isFile() === true && distrust(stats) === null;
  return isOurs ? [{ path, size: stats.size, time: stats.mtimeMs }] : [];
}
