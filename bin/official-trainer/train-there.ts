/** `ltxc run --on ltx-trainer`: the run of a run config on the official trainer, shown as a run of ltxc's own. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strategyOf, type RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import { fail, FindingsError, type Finding } from "../../runtime/findings.ts";
import {
  environmentOf,
  findWeights,
  lockFolder,
  lostMetrics,
  openMetricsFile,
  preflight,
  trainedBytes,
  type Preflight,
  type TrainEvent,
} from "../../runtime/index.ts";
import { exitCode } from "../shell/exit.ts";
import type { Io } from "../shell/io.ts";
import { findInstallation, type Installation } from "./installation.ts";
import { follow, type StepDone } from "./launch.ts";

interface There {
  readonly config: RunConfig;
  /** The run config as it was written, with the settings of the command line. */
  readonly written: unknown;
  /** The folder at which its relative paths start. */
  readonly folder: string;
  readonly step: Step;
  /** The compiled strategy; absolute. */
  readonly module: string;
}

interface Shown {
  /** Whether events are for programs. */
  readonly isJson: boolean;
  event(event: TrainEvent): void;
  note(line: string): void;
}

/**
 * Checks data and config, trains, and shows how it goes.
 * @returns the exit code
 * @throws FindingsError LTX6608 to LTX6611, LTX6340 where another run has the folder, and what `preflight` finds
 */
export async function trainThere(io: Io, there: There, shown: Shown): Promise<number> {
  const { config, step } = there;
  const installation = await findInstallation(io, config.runtime.ltx_trainer);
  if ("code" in installation) throw new FindingsError([installation]);
  const obstacles = obstaclesOf(config, installation);
  if (obstacles.length > 0) throw new FindingsError(obstacles);
  const lock = await lockFolder(config.output_dir, { isOfficial: true });
  try {
    const examined = await preflight(config, step, { onWork: "refuse", isOfficial: true });
    for (const finding of examined.warnings) shown.event({ type: "warning", finding });
    return await trainLocked(io, there, { installation, examined, shown, lock });
  } finally {
    await lock.release();
  }
}

async function trainLocked(io: Io, there: There, prepared: Omit<Prepared, "record">): Promise<number> {
  const own = await mkdtemp(join(tmpdir(), "ltxc-run-"));
  const record = recorder(there.config.output_dir, prepared.shown);
  try {
    return await trainIn(io, own, there, { ...prepared, record });
  } finally {
    record.close();
    await rm(own, { recursive: true });
  }
}

/** What the official trainer would stop at after it has loaded everything. */
function obstaclesOf({ runtime, model }: RunConfig, { gpus }: Installation): Finding[] {
  const found: Finding[] = [];
  if (gpus > 0 && runtime.processes > gpus) {
    const message = `there are ${runtime.processes} processes for ${gpus} GPU${gpus === 1 ? "" : "s"}`;
    const help = `write \`processes: ${gpus}\`, or accumulate: \`optimization.gradient_accumulation_steps\``;
    found.push({ code: "LTX6609", severity: "error", path: ["runtime", "processes"], message, help });
  }
  const lacking = needsTextEncoder(model);
  return lacking === null ? found : [...found, lacking];
}

/** LTX6611 where a run config names no text encoder. */
export function needsTextEncoder({ text_encoder_path: path }: RunConfig["model"]): Finding | null {
  if (path !== null) return null;
  const message = "the official trainer needs the text encoder's folder, also for data that is preprocessed";
  const help = "write `text_encoder_path` below `model`: the folder of Gemma that preprocessing used";
  return { code: "LTX6611", severity: "error", path: ["model"], message, help };
}

interface Prepared {
  readonly installation: Installation;
  readonly examined: Preflight;
  readonly shown: Shown;
  readonly record: Recorder;
  readonly lock: Awaited<ReturnType<typeof lockFolder>>;
}

async function trainIn(
  io: Io,
  own: string,
  there: There,
  { installation, examined, shown, record, lock }: Prepared,
): Promise<number> {
  const { config, folder, module } = there;
  const log = join(config.output_dir, "ltx-trainer.log");
  const written = join(own, "train.json");
  // YAML holds all of JSON.
  await writeFile(written, JSON.stringify(forModule(there)));
  const { processes } = config.runtime;
  record.add(startedEvent(there, examined));
  const amount = `${config.optimization.steps} steps, ${count(examined.data.dataset.samples.length, "sample")}`;
  shown.note(
    `training \`${there.step.strategy.name}\` on the official trainer: ${amount}, ${count(processes, "process")}`,
  );
  shown.note(`what it prints goes to ${log}`);
  const begun = performance.now();
  let last = NaN;
  const onStep = (done: StepDone) => {
    record.add(stepEvent(config, done, done.time - last));
    last = done.time;
  };
  let isStopped = false;
  const off = io.onInterrupt(() => {
    isStopped = true;
    shown.note("ending the official trainer (Ctrl-C again stops at once)");
  });
  const files = { module, config: written, folder, log, progress: join(own, "progress") };
  const launch = { installation, processes, ...files, onStarted: lock.share };
  const code = await follow(io, launch, onStep, () => isStopped).finally(off);
  const checkpoint = await newestWeights(config.output_dir);
  const seconds = (performance.now() - begun) / 1000;
  if (code === 0 && checkpoint !== null) {
    const globalStep = record.steps();
    record.add({ type: "finished", globalStep, checkpoint, seconds, stepsPerSecond: globalStep / seconds });
    return exitCode.ok;
  }
  if (!isStopped) await failOfficial(code, log);
  if (checkpoint === null) shown.note(`stopped after step ${record.steps()}; it had saved nothing yet`);
  else record.add({ type: "interrupted", globalStep: record.steps(), checkpoint });
  return exitCode.interrupted;
}

const count = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? "" : what.endsWith("s") ? "es" : "s"}`;

/** The run config that the module reads: with the strategy's own name and parameters. The section of `flexible` is in the module already. */
export function forModule({ config, written, step }: Pick<There, "config" | "written" | "step">): unknown {
  const { name } = step.strategy;
  const { training_strategy: _, ...rest } = written as Record<string, unknown>;
  const model = { ...(rest["model"] as object), load_checkpoint: config.model.load_checkpoint };
  const strategy = { ...strategyOf(config.training_strategy).params, name };
  return { ...rest, model, training_strategy: strategy, output_dir: config.output_dir };
}

type Recorder = ReturnType<typeof recorder>;

/** Shows events, and keeps them where `ltxc report` looks for them. */
function recorder(folder: string, shown: Shown) {
  const metrics = openMetricsFile(join(folder, "metrics.jsonl"));
  let steps = 0;
  return {
    steps: () => steps,
    add(event: TrainEvent): void {
      if (event.type === "step") steps = event.globalStep;
      const failure = metrics.write(event);
      // What people read of the start is about ltxc's own runs.
      if (shown.isJson || event.type !== "started") shown.event(event);
      if (failure !== null) shown.event({ type: "warning", finding: lostMetrics(failure) });
    },
    close: () => metrics.close(),
  };
}

function startedEvent({ config, step }: There, examined: Preflight): TrainEvent {
  const { strategy } = step;
  return {
    type: "started",
    globalStep: 0,
    steps: config.optimization.steps,
    strategy: strategy.name,
    sourceHash: strategy.sourceHash,
    params: examined.params,
    engine: "ltx-trainer",
    environment: environmentOf(strategy.compiler),
    time: new Date().toISOString(),
    samples: examined.data.dataset.samples.length,
    trainableParameters: trainedBytes(config, examined) / 4,
    trainingState: config.checkpoints.save_training_state,
    loaded: config.model.load_checkpoint,
    outputDirectory: config.output_dir,
  };
}

/** What the trainer does not tell is NaN; so is the time of the first step, which has the start in it. */
function stepEvent({ optimization }: RunConfig, done: StepDone, seconds: number): TrainEvent {
  const { step, losses, samples, rate } = done;
  const { steps } = optimization;
  return {
    type: "step",
    globalStep: step,
    steps,
    samples: [],
    loss: Object.values(losses).reduce((sum, loss) => sum + loss, 0),
    terms: losses,
    learningRate: rate ?? NaN,
    gradNorm: NaN,
    secondsPerStep: seconds,
    samplesPerSecond: samples / seconds,
    tokensPerSecond: NaN,
    flopsPerSecond: null,
    mfu: null,
    gpu: null,
    peakMemoryBytes: NaN,
    waitSeconds: 0,
    etaSeconds: Number.isNaN(seconds) ? null : (steps - step) * seconds,
    sigmaBuckets: {},
  };
}

/** The weights of the highest step in a run's folder; null if there are none. */
async function newestWeights(folder: string): Promise<string | null> {
  const checkpoints = join(folder, "checkpoints");
  return existsSync(checkpoints) ? findWeights(checkpoints) : null;
}

/** Lines of a stack, and what the launcher says when one of its processes has failed. */
const NOISE =
  /^\s|^Traceback|^={3}|^-{3}|torch\.distributed|^(\[rank\d+\]:)?\[?[EWI]\d{4} |^subprocess\.|^\[\d+\]:$|^Root Cause|^Failures:|^<NO_OTHER| FAILED$|^$/;

/**
 * Says why the official trainer ended: the last line of what it printed that is no stack.
 * @throws FindingsError LTX6610
 */
export async function failOfficial(code: number, log: string): Promise<never> {
  const printed = (await readFile(log, "utf8")).split("\n").map((line) => line.replace(/^\[rank\d+\]: /, ""));
  const lines = printed.filter((line) => !NOISE.test(line));
  const said = lines.at(-1);
  const message = `the official trainer ended with exit code ${code}${said === undefined ? "" : `: ${said}`}`;
  return fail("LTX6610", message, `all that it printed is in ${log}`, ["runtime", "engine"]);
}
