import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { keptFolder } from "./kept-sources.ts";
import { readMetrics, type Metrics } from "./metrics.ts";

interface RunFile {
  readonly name: string;
  readonly bytes: number;
}

/** A picture of a sample for the page. */
interface SamplePicture {
  readonly name: string;
  readonly png: Buffer;
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
  /** The samples that were drawn last. */
  readonly samples: readonly SamplePicture[];
}

/** More pictures would make the page slow to open. */
const maxSamples = 12;

/** Reads what exists of a run; null if the folder holds no metrics, and so no run. */
export async function readRun(folder: string): Promise<RunRecord | null> {
  const text = await textOf(join(folder, "metrics.jsonl"));
  if (text === null) return null;
  return {
    name: basename(folder),
    metrics: readMetrics(text),
    config: await textOf(join(folder, "training_config.yaml")),
    strategies: await strategiesOf(join(folder, keptFolder)),
    checkpoints: await filesOf(join(folder, "checkpoints")),
    samples: await picturesOf(join(folder, "samples")),
  };
}

async function textOf(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
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

/** The pictures `step_000100_1.png` of the highest step. */
async function picturesOf(folder: string): Promise<readonly SamplePicture[]> {
  const names = (await namesIn(folder)).filter((name) => /^step_\d+_\d+.*\.png$/.test(name));
  const last = names.at(-1)?.split("_")[1];
  const chosen = names.filter((name) => name.split("_")[1] === last).slice(0, maxSamples);
  const pictures = await Promise.all(
    chosen.map(async (name) => ({ name, png: await readFile(join(folder, name)).catch(() => null) })),
  );
  return pictures.flatMap(({ name, png }) => (png === null ? [] : [{ name, png }]));
}
