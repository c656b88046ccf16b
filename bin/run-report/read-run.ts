import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { keptFolder, linesOf, readBytes, readText, unreadable } from "../../runtime/files/index.ts";
import { UsageError } from "../shell/exit.ts";
import { readMetrics, type Metrics } from "./metrics.ts";

interface RunFile {
  readonly name: string;
  readonly bytes: number;
}

/** A picture of a sample for the page. */
export interface SamplePicture {
  readonly name: string;
  readonly png: Buffer;
}

/** The samples drawn after one step, or by the base model. */
interface SampleRow {
  /** Null for the base model. */
  readonly step: number | null;
  readonly pictures: readonly SamplePicture[];
}

/** Everything that is read from a run's folder. */
export interface RunRecord {
  readonly name: string;
  readonly metrics: Metrics;
  /** The text of `training_config.yaml`; null if it is missing. */
  readonly config: string | null;
  /** The strategy's files, and those in TypeScript that it imports, as they were when the run began. */
  readonly strategies: readonly { readonly name: string; readonly text: string }[];
  readonly checkpoints: readonly RunFile[];
  /** The drawn samples: those of the base model, then those of the first step. */
  readonly samples: readonly SampleRow[];
  /** Pictures of samples that the page has no room for: those of steps after the first. */
  readonly samplesLeftOut: number;
}

/** More pictures would make the page slow to open. */
const MOST_PICTURE_BYTES = 48 * 2 ** 20;

/** Bytes of metrics: those of some 400,000 steps. */
const MAX_METRICS_BYTES = 256 * 2 ** 20;

/**
 * Reads what exists of a run; null if the folder holds no metrics, and so no run.
 * @throws UsageError if there is a metrics.jsonl that cannot be read
 */
export async function readRun(folder: string): Promise<RunRecord | null> {
  const metrics = await metricsOf(join(folder, "metrics.jsonl"));
  if (metrics === null) return null;
  return {
    name: basename(folder),
    metrics,
    config: await textOf(join(folder, "training_config.yaml")),
    strategies: await strategiesOf(join(folder, keptFolder)),
    checkpoints: await filesOf(join(folder, "checkpoints")),
    ...(await samplesOf(join(folder, "samples"))),
  };
}

async function metricsOf(path: string): Promise<Metrics | null> {
  try {
    return await readMetrics(linesOf(path, MAX_METRICS_BYTES));
  } catch (error) {
    const why = unreadable(error);
    if (why === null) throw error;
    if (why.isMissing) return null;
    throw new UsageError(`${path} ${why.problem}`, why.help);
  }
}

async function textOf(path: string): Promise<string | null> {
  return readText(path).catch(() => null);
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => (entry.isFile() && !entry.name.startsWith(".") ? [entry.name] : [])).toSorted();
}

async function strategiesOf(folder: string): Promise<RunRecord["strategies"]> {
  const names = await namesIn(folder);
  const texts = await Promise.all(names.map(async (name) => ({ name, text: await textOf(join(folder, name)) })));
  return texts.flatMap(({ name, text }) => (text === null ? [] : [{ name, text }]));
}

async function filesOf(folder: string): Promise<readonly RunFile[]> {
  const names = await namesIn(folder);
  const files = await Promise.all(
    names.map(async (name) => ({ name, info: await stat(join(folder, name)).catch(() => null) })),
  );
  return files.flatMap(({ name, info }) => (info === null ? [] : [{ name, bytes: info.size }]));
}

/**
 * The pictures `step_000100_1.png` and `base_1.png`, as many as the page has room for: those of the base model and of the first step, which others are
 * compared with, and the last ones.
 */
async function samplesOf(folder: string): Promise<Pick<RunRecord, "samples" | "samplesLeftOut">> {
  const names = (await namesIn(folder)).filter((name) => /^(step_\d+|base)_\d+.*\.png$/.test(name));
  const rows = new Map<number | null, SamplePicture[]>();
  let [room, shown] = [MOST_PICTURE_BYTES, 0];
  const first = Math.min(...names.flatMap((name) => stepOf(name) ?? []));
  const isCompared = (name: string) => [null, first].includes(stepOf(name));
  const others = names.filter((name) => !isCompared(name)).toSorted(byStep);
  for (const name of [...names.filter(isCompared), ...others]) {
    const { size } = await stat(join(folder, name));
    if (size > room) break;
    room -= size;
    shown++;
    const step = stepOf(name);
    rows.set(step, [...(rows.get(step) ?? []), { name, png: await readBytes(join(folder, name), MOST_PICTURE_BYTES) }]);
  }
  const samples = [...rows].map(([step, pictures]) => ({ step, pictures }));
  return { samples: samples.toSorted((a, b) => (a.step ?? -1) - (b.step ?? -1)), samplesLeftOut: names.length - shown };
}

/** Null for a sample of the base model. */
function stepOf(name: string): number | null {
  const digits = /^step_(\d+)_/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The last step first; its samples in the order of their numbers. */
function byStep(a: string, b: string): number {
  return (stepOf(b) ?? 0) - (stepOf(a) ?? 0) || a.localeCompare(b, "en", { numeric: true });
}
