/** What lies in a run's folder: work that nobody wants to lose. */
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isWeights, stepOf } from "../checkpoints/checkpoint-files.ts";
import type { CheckpointMetadata } from "../checkpoints/checkpoint-metadata.ts";
import { metadataOf } from "../checkpoints/prune.ts";
import { counted, cut, moment } from "./wording.ts";

/** A weights file of some step. */
interface SavedWeights {
  readonly path: string;
  readonly step: number;
  /** Null if it cannot be read, or lies behind a link. */
  readonly metadata: CheckpointMetadata | null;
}

export interface FolderWork {
  readonly folder: string;
  /** The highest step first. */
  readonly weights: readonly SavedWeights[];
  readonly metrics: RunMetrics | null;
  /** When something was written last. */
  readonly date: Date;
}

/** What the last lines of a run's metrics tell. */
interface RunMetrics {
  readonly strategy: string | null;
  /** Steps done, and those that it was to do. */
  readonly step: number;
  readonly steps: number | null;
  readonly isFinished: boolean;
}

/** The work in a folder; null if there is none: neither weights of some step nor metrics of a step. */
export async function workIn(folder: string): Promise<FolderWork | null> {
  const weights = await weightsIn(folder);
  const metricsFile = join(folder, "metrics.jsonl");
  const metrics = await metricsIn(metricsFile);
  if (weights.length === 0 && metrics === null) return null;
  const files = [...weights.map(({ path }) => path), metricsFile];
  const times = await Promise.all(files.map(async (file) => (await lstat(file).catch(() => null))?.mtimeMs ?? 0));
  return { folder, weights, metrics, date: new Date(Math.max(...times)) };
}

/** Weights of some step in a run's folder and its `checkpoints`, by whomever they were written; the highest step first. */
export async function weightsIn(folder: string): Promise<readonly SavedWeights[]> {
  const found: SavedWeights[] = [];
  for (const part of [folder, join(folder, "checkpoints")]) {
    const isLink = part !== folder && ((await lstat(part).catch(() => null))?.isSymbolicLink() ?? false);
    for (const entry of await readdir(part, { withFileTypes: true }).catch(() => [])) {
      const { name } = entry;
      if (!isWeights(name) || !(entry.isFile() || entry.isSymbolicLink())) continue;
      const path = join(part, name);
      found.push({ path, step: stepOf(name), metadata: isLink ? null : await metadataOf(path) });
    }
  }
  return found.toSorted((a, b) => b.step - a.step);
}

/** Whether ltxc saved these weights: it names itself in every file. */
export const isOurs = ({ metadata }: SavedWeights): boolean => metadata?.["ltxc.version"] !== undefined;

/** Bytes at the beginning and the end of the metrics that are read: they may be long. */
const partBytes = 256 * 1024;

async function metricsIn(path: string): Promise<RunMetrics | null> {
  const info = await lstat(path).catch(() => null);
  if (info === null || !info.isFile()) return null;
  const [head, tail] = [await part(path, 0), await part(path, Math.max(0, info.size - partBytes))].map(linesOf);
  const last = tail?.findLast(({ type }) => type === "step");
  if (last === undefined || typeof last["globalStep"] !== "number") return null;
  const started = tail?.findLast(isStarted) ?? head?.findLast(isStarted);
  const end = tail?.findLast(({ type }) => ["started", "step", "finished", "interrupted"].includes(String(type)));
  return {
    strategy: typeof started?.["strategy"] === "string" ? started["strategy"] : null,
    step: last["globalStep"],
    steps: typeof last["steps"] === "number" ? last["steps"] : null,
    isFinished: end?.["type"] === "finished",
  };
}

type Line = Readonly<Record<string, unknown>>;
const isStarted = ({ type }: Line): boolean => type === "started";

async function part(path: string, from: number): Promise<string> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(partBytes), 0, partBytes, from);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } finally {
    await file.close();
  }
}

/** The events of a text; lines that are cut off are left out. */
function linesOf(text: string): readonly Line[] {
  return text.split("\n").flatMap((line): Line[] => {
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === "object" && value !== null ? [{ ...value }] : [];
    } catch {
      return [];
    }
  });
}

/** `a finished run of "inpainting" (200 steps), 2 checkpoints, the last of step 200, written 2026-11-27 10:32`. */
export function description({ weights, metrics, date }: FolderWork): string {
  const foreign = weights.filter((saved) => !isOurs(saved)).length;
  const others =
    foreign === 0 ? "" : ` (${foreign === weights.length ? "" : `${foreign} of them `}not written by ltxc)`;
  const last = weights[0];
  const saved =
    last === undefined
      ? "no checkpoint"
      : `${counted(weights.length, "checkpoint")}${others}, the last of step ${last.step}`;
  return [...runOf(weights, metrics), saved, `written ${moment(date)}`].join(", ");
}

function runOf(weights: FolderWork["weights"], metrics: RunMetrics | null): readonly string[] {
  const strategy = metrics?.strategy ?? weights[0]?.metadata?.["ltxc.strategy"] ?? null;
  const name = strategy === null ? "" : ` of \`${cut(strategy)}\``;
  if (metrics === null) return strategy === null ? [] : [`a run${name}`];
  const { step, steps, isFinished } = metrics;
  if (isFinished) return [`a finished run${name} (${counted(step, "step")})`];
  return [`a run${name} that stopped at step ${step}${steps === null ? "" : ` of ${steps}`}`];
}
