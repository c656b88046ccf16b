/** The second side of a comparison: the official trainer, on the CPU and in float32. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import type { Installation } from "../official-trainer/installation.ts";
import { follow } from "../official-trainer/launch.ts";
import { failOfficial, forModule } from "../official-trainer/train-there.ts";
import type { Io } from "../shell/io.ts";
import type { StepLoss } from "./compare.ts";
import { harnessText } from "./harness.generated.ts";
import { settingsThere } from "./settings.ts";
import type { Shown } from "./train-here.ts";

interface There {
  readonly config: RunConfig;
  /** The run config as it was written, with the settings of the command line. */
  readonly written: unknown;
  /** The folder at which its relative paths start. */
  readonly base: string;
  readonly step: Step;
  /** The compiled strategy; absolute. */
  readonly module: string;
  readonly installation: Installation;
  /** The folder of the comparison; absolute. */
  readonly folder: string;
  readonly start: string | null;
  /** The names of all samples, in the order in which the official trainer counts them. */
  readonly samples: readonly string[];
  /** What ltxc trained on. */
  readonly losses: readonly StepLoss[];
}

/**
 * Trains on the same samples in the same order, into `FOLDER/ltx-trainer`.
 * @returns null where it was stopped
 * @throws FindingsError LTX6610 where it fails
 */
export async function trainThere(
  io: Io,
  there: There,
  shown: Shown,
  signal: AbortSignal,
): Promise<readonly StepLoss[] | null> {
  const { config, folder, losses, samples, installation } = there;
  const { processes } = config.runtime;
  const [log, harness, given, record] = ["ltx-trainer.log", "harness.py", "harness.json", "losses"].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  const place = new Map(samples.map((name, i) => [name, i]));
  const order = losses.flatMap((step) => step.samples.map((name) => place.get(name)));
  await writeFile(harness, harnessText);
  await writeFile(given, JSON.stringify({ module: there.module, samples: samples.length, order, record }));
  const written = join(folder, "train.json");
  await writeFile(written, JSON.stringify(runConfigOf(there)));
  shown.note(`${losses.length} steps of the official trainer; what it prints goes to ${log}`);
  const launch = {
    // Without a GPU: graphics cards calculate products of float32 with fewer digits.
    installation: { ...installation, gpus: 0 },
    processes,
    module: harness,
    config: written,
    folder: there.base,
    log,
    progress: join(folder, "progress"),
    env: { LTXC_PARITY: given, CUDA_VISIBLE_DEVICES: "", ACCELERATE_MIXED_PRECISION: "no" },
  };
  const onStep = ({ step, losses: terms }: { step: number; losses: Readonly<Record<string, number>> }) =>
    shown.step(
      "ltx-trainer",
      step,
      Object.values(terms).reduce((a, b) => a + b, 0),
    );
  const code = await follow(io, launch, onStep, () => signal.aborted);
  if (signal.aborted) return null;
  if (code !== 0) await failOfficial(code, log);
  return readRecord(record, processes, samples);
}

function runConfigOf({ config, written, step, folder, start, losses }: There): unknown {
  const aims = { steps: losses.length, outputs: join(folder, "ltx-trainer"), start };
  const changed = settingsThere(written as Readonly<Record<string, unknown>>, aims);
  const own = { ...config, output_dir: aims.outputs, model: { ...config.model, load_checkpoint: start } };
  return forModule({ config: own, written: changed, step });
}

interface Line {
  readonly step: number;
  readonly part: number;
  readonly samples: readonly number[];
  readonly terms: Readonly<Record<string, number>>;
}

/** What the processes wrote down, by steps: means of the terms, samples in the order of the micro-batches. */
async function readRecord(record: string, processes: number, samples: readonly string[]): Promise<readonly StepLoss[]> {
  const lines: Line[] = [];
  for (let rank = 0; rank < processes; rank++) {
    const path = `${record}.${rank}`;
    if (!existsSync(path)) continue;
    const text = (await readFile(path, "utf8")).trim();
    lines.push(...text.split("\n").map((line) => JSON.parse(line) as Line));
  }
  const steps = [...new Set(lines.map(({ step }) => step))].toSorted((a, b) => a - b);
  return steps.map((step) => {
    const parts = lines.filter((line) => line.step === step);
    const inOrder = parts.toSorted((a, b) => a.part - b.part);
    const names = Object.keys(inOrder[0]?.terms ?? {});
    const mean = (name: string) => parts.reduce((sum, { terms }) => sum + (terms[name] ?? NaN), 0) / parts.length;
    return {
      step,
      terms: Object.fromEntries(names.map((name) => [name, mean(name)])),
      samples: inOrder.flatMap((part) => part.samples.map((i) => samples[i] ?? `number ${i}`)),
    };
  });
}
