/**
 * Recordings on disk, so that the next run of the same strategy on the same model does not have to record. They are a cache: a file
 * that can not be read or written is not an error, and the files that have not been used for the longest time are deleted.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Graph, Initializer } from "../../graph/graph.ts";
import type { Call, Recording, SavedRecording } from "./recording.ts";

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

/** @param scope everything besides its calls that a recording depends on: program, model, strategy, parameters */
export function openSavedRecordings(root: string, scope: string): SavedRecordings {
  const folder = join(root, hashOf(scope));
  return {
    all: namesIn(folder).flatMap((name) => readRecording(folder, name) ?? []),
    save(calls, recording, graph) {
      const text = JSON.stringify(graph, toText);
      if (text.length > MOST_GRAPH_BYTES) return;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const name = hashOf(calls.map(({ key }) => key).join("\n"));
        write(join(folder, `${name}.graph.json`), text);
        write(join(folder, `${name}.calls.json`), JSON.stringify({ calls, recording }, toText));
        removeOldest(root);
      } catch {
        // The next process records it again.
      }
    },
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((file) => /^(\w+)\.calls\.json$/.exec(file)?.[1] ?? []);
  } catch {
    return [];
  }
}

function readRecording(folder: string, name: string): SavedRecording | null {
  try {
    const saved = parse(join(folder, `${name}.calls.json`)) as Pick<SavedRecording, "calls" | "recording">;
    return { ...saved, graph: () => readGraph(join(folder, `${name}.graph.json`)) };
  } catch {
    return null;
  }
}

function readGraph(path: string): Graph | null {
  try {
    return parse(path) as Graph;
  } catch {
    return null;
  }
}

const write = (path: string, text: string): void => {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
};

/** Reads a file and renews its timestamp, so that it counts as recently used. */
function parse(path: string): unknown {
  const now = new Date();
  utimesSync(path, now, now);
  return JSON.parse(readFileSync(path, "utf8"), fromText);
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);

/** JSON has no bytes, and no infinite numbers, NaN or -0. */
function toText(key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  if (key === "numbers") return (value as Recording["numbers"]).map(textOf);
  return value;
}

function textOf(x: number | null): string | null {
  if (x === null) return null;
  return Object.is(x, -0) ? "-0" : String(x);
}

function fromText(key: string, value: unknown): unknown {
  if (key === "bytes") return bytesOf(value as Initializer["bytes"] | { readonly base64: string });
  if (key === "numbers") return (value as (string | null)[]).map((x) => (x === null ? null : Number(x)));
  return value;
}

function bytesOf(value: Initializer["bytes"] | { readonly base64: string }): Initializer["bytes"] {
  return "base64" in value ? Uint8Array.from(Buffer.from(value.base64, "base64")) : value;
}

/** Deletes the files that have not been used for the longest time, until the rest is small enough. */
function removeOldest(root: string): void {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((name) => ({ path: join(root, name), stats: statSync(join(root, name)) }))
    .filter(({ stats }) => stats.isFile())
    .toSorted((a, b) => a.stats.mtimeMs - b.stats.mtimeMs);
  let total = files.reduce((sum, { stats }) => sum + stats.size, 0);
  for (const { path, stats } of files) {
    if (total <= MOST_BYTES) return;
    rmSync(path, { force: true });
    total -= stats.size;
  }
}
