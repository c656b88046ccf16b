import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { openFile } from "../read-bytes.ts";
import { containerOf, HEAD_BYTES, type Container } from "./first-bytes.ts";
import { weightsKindOf, type WeightsKind } from "./weights-kind.ts";
import { readOutline, type WeightsOutline } from "./weights-outline.ts";

/** One file of several that make up a model. */
export interface Shard {
  readonly number: number;
  readonly of: number;
}

/** What stands at a path. */
export type FileKind =
  | { readonly kind: "missing" }
  | { readonly kind: "folder" }
  /** `what`: as in "a named pipe". */
  | { readonly kind: "special"; readonly what: string }
  /** `code` is the system's, such as EACCES. */
  | { readonly kind: "unreadable"; readonly code: string }
  /** `bytes` of `of` are there; `of` is null where only the unfinished end is known. */
  | { readonly kind: "unfinished"; readonly bytes: number; readonly of: number | null }
  | { readonly kind: "weights"; readonly weights: WeightsKind; readonly shard: Shard | null }
  /** The list of the shards of a model. */
  | { readonly kind: "shard-index" }
  | Exclude<Container, { readonly kind: "safetensors" }>;

/**
 * Says what stands at `path`, from its first bytes and, for a safetensors file, its header; names are believed only where the content
 * does not tell. Never throws for what a path may hold.
 */
export async function recognise(path: string): Promise<FileKind> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => error.code ?? "unknown");
  if (typeof stats === "string") {
    return stats === "ENOENT" || stats === "ENOTDIR" ? { kind: "missing" } : { kind: "unreadable", code: stats };
  }
  if (stats.isDirectory()) return { kind: "folder" };
  if (!stats.isFile()) {
    const what = stats.isFIFO() ? "a named pipe" : stats.isSocket() ? "a socket" : "a device";
    return { kind: "special", what };
  }
  try {
    return await recogniseFile(path, stats.size);
  } catch (error) {
    return { kind: "unreadable", code: (error as NodeJS.ErrnoException).code ?? "unknown" };
  }
}

async function recogniseFile(path: string, size: number): Promise<FileKind> {
  const container = containerOf(await readHead(path, size), size);
  // aria2 removes this file when it has all of the other one.
  if (existsSync(`${path}.aria2`)) return { kind: "unfinished", bytes: size, of: null };
  if (container.kind === "safetensors") return weightsAt(path, size, container.length);
  if (container.kind === "json") return isIndex(path, container.start) ? { kind: "shard-index" } : container;
  return container;
}

async function readHead(path: string, size: number): Promise<Buffer> {
  const file = await openFile(path);
  try {
    return await file.read(0, Math.min(size, HEAD_BYTES));
  } finally {
    file.close();
  }
}

async function weightsAt(path: string, size: number, length: number): Promise<FileKind> {
  if (8 + length > size) return { kind: "unfinished", bytes: size, of: null };
  const outline = await readOutline(path, length);
  if (outline === null) return { kind: "weights", weights: { model: "none" }, shard: null };
  if (outline.bytes > size) return { kind: "unfinished", bytes: size, of: outline.bytes };
  return { kind: "weights", weights: weightsKindOf(outline), shard: shardOf(path, outline) };
}

/** `model-00001-of-00004.safetensors`; one of one is whole. */
function shardOf(path: string, { dtypes }: WeightsOutline): Shard | null {
  const [, number = "1", of = "1"] = /-(\d{5})-of-(\d{5})\.\w+$/.exec(basename(path)) ?? [];
  return Number(of) > 1 && dtypes.size > 0 ? { number: Number(number), of: Number(of) } : null;
}

const isIndex = (path: string, start: string): boolean =>
  path.endsWith(".index.json") || /"weight_map"\s*:/.test(start);
