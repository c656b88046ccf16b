/**
 * The measured speeds of engines, in the user's cache folder: what one command has measured the others say as well. A file that is
 * damaged, or that somebody else can have written, counts as none; one that can not be written is no error.
 */
import { availableParallelism, cpus } from "node:os";
import { dirname } from "node:path";
import type { EngineSpeed } from "./measure.ts";
import { distrustOfFolder, makeOwnFolder, readOwn, replaceOwn } from "./recording/own-files.ts";

export interface MeasuredSpeed extends EngineSpeed {
  /** When, as in `2026-11-27T08:15:00.000Z`. */
  readonly measuredAt: string;
}

/** What a speed depends on besides the engine. */
interface Circumstances {
  /** Of this program. */
  readonly build: string;
  readonly processor: string;
  readonly cores: number;
}

interface Saved extends MeasuredSpeed, Circumstances {}

const MOST_BYTES = 2 ** 16;

const circumstances = (build: string): Circumstances => ({
  build,
  processor: cpus()[0]?.model.trim() ?? "",
  cores: availableParallelism(),
});

/** The speed that was saved for an engine on this machine, as it is now; null if there is none. */
export function readSpeed(file: string, engine: string, build: string): MeasuredSpeed | null {
  const saved = readAll(file)[engine];
  if (!isSaved(saved) || !isAlike(saved, circumstances(build))) return null;
  const { matmulGflops, bandwidthGBs, measuredAt } = saved;
  return { matmulGflops, bandwidthGBs, measuredAt };
}

/** Saves the speed of an engine, instead of one that was measured before; drops those of other builds and machines. */
export function saveSpeed(file: string, engine: string, build: string, speed: MeasuredSpeed): void {
  const now = circumstances(build);
  const others = Object.entries(readAll(file)).filter(([, saved]) => isSaved(saved) && isAlike(saved, now));
  const all = Object.fromEntries([...others, [engine, { ...speed, ...now } satisfies Saved]]);
  try {
    makeOwnFolder(dirname(file));
    if (distrustOfFolder(dirname(file)) === null) replaceOwn(file, `${JSON.stringify(all, null, 2)}\n`);
  } catch {
    // The next process measures again.
  }
}

function readAll(file: string): Readonly<Record<string, unknown>> {
  try {
    if (distrustOfFolder(dirname(file)) !== null) return {};
    const all: unknown = JSON.parse(readOwn(file, MOST_BYTES).toString("utf8"));
    return typeof all === "object" && all !== null ? (all as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const isAlike = (saved: Circumstances, now: Circumstances): boolean =>
  saved.build === now.build && saved.processor === now.processor && saved.cores === now.cores;

function isSaved(value: unknown): value is Saved {
  const { matmulGflops, bandwidthGBs, measuredAt } = (value ?? {}) as Partial<Saved>;
  const isRate = (x: unknown) => typeof x === "number" && Number.isFinite(x) && x > 0;
  return isRate(matmulGflops) && isRate(bandwidthGBs) && !Number.isNaN(Date.parse(String(measuredAt)));
}
