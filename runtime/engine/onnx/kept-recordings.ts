/**
 * Recordings on disk, so that the next run of the same strategy on the same model need not record. What is here can be made again: a
 * file that can not be read or written is no error, and what was not used for longest goes.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Graph, Initializer } from "../../graph/graph.ts";
import type { Call, Recording } from "./trace.ts";

/** A recording without what is of this process alone. */
export type Portable = Omit<Recording, "session">;

export interface KeptRecording {
  /** All that was asked for, in order; the last one ends the function. */
  readonly way: readonly Call[];
  readonly recording: Portable;
  /** Null where it can not be read any more. */
  graph(): Graph | null;
}

export interface KeptRecordings {
  readonly all: readonly KeptRecording[];
  /** Writes one, in place of another for the same way. */
  keep(way: readonly Call[], recording: Portable, graph: Graph): void;
}

/** Of all that is kept, in bytes. */
const MOST_BYTES = 2 ** 30;
/** Of a single graph: one with large constants is not worth its place. */
const MOST_GRAPH_BYTES = 2 ** 26;

/** @param scope all that recordings depend on beside what was asked for: program, model, strategy, parameters */
export function openKeptRecordings(root: string, scope: string): KeptRecordings {
  const folder = join(root, hashOf(scope));
  return {
    all: namesIn(folder).flatMap((name) => readWay(folder, name) ?? []),
    keep(way, recording, graph) {
      const text = JSON.stringify(graph, toText);
      if (text.length > MOST_GRAPH_BYTES) return;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const name = hashOf(way.map(({ key }) => key).join("\n"));
        write(join(folder, `${name}.graph.json`), text);
        write(join(folder, `${name}.way.json`), JSON.stringify({ way, recording }, toText));
        removeOldest(root);
      } catch {
        // It is recorded anew then.
      }
    },
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((file) => /^(\w+)\.way\.json$/.exec(file)?.[1] ?? []);
  } catch {
    return [];
  }
}

function readWay(folder: string, name: string): KeptRecording | null {
  try {
    const kept = parse(join(folder, `${name}.way.json`)) as Pick<KeptRecording, "way" | "recording">;
    return { ...kept, graph: () => readGraph(join(folder, `${name}.graph.json`)) };
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

/** Reads a file, which is new again. */
function parse(path: string): unknown {
  const now = new Date();
  utimesSync(path, now, now);
  return JSON.parse(readFileSync(path, "utf8"), fromText);
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);

/** JSON has neither bytes nor all numbers. */
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

/** The files that were not used for longest, until the rest is small enough. */
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
