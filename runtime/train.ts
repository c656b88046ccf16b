import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { toOfficial } from "./config/strategy.ts";
import { removeLeftovers, writeTextAtomically } from "./files/atomic.ts";
import { fail, FindingsError, type Finding } from "./findings.ts";
import { weightsPath } from "./checkpoints/checkpoint-files.ts";
import { checkpointMetadata, type CheckpointMetadata } from "./checkpoints/checkpoint-metadata.ts";
import { loadCheckpoint, saveCheckpoint } from "./checkpoints/checkpoint.ts";
import { deleteOlder, isBest, lossKey } from "./checkpoints/prune.ts";
import { environmentOf } from "./metrics/environment.ts";
import { drawSamples, prepareSamples } from "./training/draw-samples.ts";
import { evaluate } from "./training/evaluation.ts";
import type { Expected, StepEvent, Summary, TrainEvent } from "./metrics/events.ts";
import { failureOf } from "./training/failures.ts";
import { noGpu, watchGpu, type GpuWatch } from "./metrics/gpu-watch.ts";
import { openMetricsFile } from "./metrics/metrics-file.ts";
import { lostMetrics } from "./metrics/sink.ts";
import { checkNothingLater } from "./run-folder/starting.ts";
import { contextOf, createOptimizer } from "./training/optimizer-context.ts";
import {
  accumulate,
  type AccumulatedGradients,
  type MicroBatch,
  type OptimizerContext,
} from "./training/optimizer-step.ts";
import type { Run, StopSignal } from "./training/run-inputs.ts";
import { strategyTold } from "./training/strategy-told.ts";
import { speedOf } from "./training/step-speed.ts";
import { GradientWatch } from "./training/gradient-watch.ts";
import { createWarnOnce, type WarnOnce } from "./training/warn-once.ts";
import { savedConfig } from "./checkpoints/saved-config.ts";
import { createRates, type Rates } from "./optimizer/groups.ts";
import { idleSamples, overlappingTerms, stepMetrics } from "./training/step-metrics.ts";
import { openEventFile } from "./metrics/tensorboard/event-file.ts";

interface TrainOptions {
  readonly onEvent?: (event: TrainEvent) => void;
  /** Usually an `AbortSignal`. Once aborted, the step under way is finished and saved, and training ends. */
  readonly signal?: StopSignal;
  /** Called once the run has begun, with a function that makes a warning one of the run's events, kept with its metrics. */
  readonly onBegun?: (warn: (finding: Finding) => void) => void;
  /** What the run is expected to take, for its first event. */
  readonly expected?: Expected | null;
}

/**
 * Trains: from the weights that the run config names to the last checkpoint. The weights stay in `run.trainable`.
 * @throws FindingsError LTX7001, LTX7002 when a loss or a gradient is not a number, LTX7130 when the gradient stays 0, LTX7006 when the metadata change, LTX7010 when a
 * token attends to nothing; LTX63xx when a checkpoint can not be read or written
 */
export async function train(run: Run, options: TrainOptions = {}): Promise<Summary> {
  const { onEvent = () => {}, signal, onBegun, expected = null } = options;
  const loop = await begin(run, onEvent, expected);
  run.engine.onFault?.((finding) => loop.emit({ type: "warning", finding: withKept(finding, lastWeights(loop)) }));
  try {
    onBegun?.((finding) => loop.emit({ type: "warning", finding }));
    return await trainToTheEnd(loop, signal);
  } catch (error) {
    throw await rescue(loop, error);
  } finally {
    run.engine.onFault?.(null);
    loop.end();
    loop.gpu.end();
  }
}

/** A run that is to stop saves at once: what evaluations and samples would take may be more time than it is given. */
async function trainToTheEnd(loop: Loop, signal: StopSignal | undefined): Promise<Summary> {
  const { run, start, steps } = loop;
  const began = performance.now();
  const isStopped = () => signal?.aborted === true;
  if (start === 0) await evaluateAt(loop, start, signal);
  await prepareSamples(run.samples, loop.emit);
  const isUntrained = loop.loaded === null;
  if (!run.config.validation.skip_initial_validation)
    await drawSamples(run.samples, loop.emit, { globalStep: start, isUntrained }, signal);
  while (loop.done < steps && !isStopped()) {
    const event = await takeStep(loop, loop.done);
    loop.emit(event);
    loop.gradients.see(event.gradNorm, event.loss);
    loop.gradients.stopIfStill();
    const { done } = loop;
    const stepEnded = performance.now();
    if (done === steps || isDue(done, run.config.evaluation.interval)) await evaluateAt(loop, done, signal);
    if (isDue(done, run.config.validation.interval))
      await drawSamples(run.samples, loop.emit, { globalStep: done, isUntrained: false }, signal);
    if (isDue(done, run.config.checkpoints.interval)) await save(loop, done);
    loop.aside += (performance.now() - stepEnded) / 1000;
  }
  const { done } = loop;
  if (done === steps) loop.gradients.stopIfStill(true);
  const checkpoint = untouched(loop) ?? (await save(loop, done));
  const seconds = (performance.now() - began) / 1000;
  const summary: Summary =
    done < steps
      ? { type: "interrupted", globalStep: done, checkpoint }
      : { type: "finished", globalStep: done, checkpoint, seconds, stepsPerSecond: (done - start) / seconds };
  loop.emit(summary);
  return summary;
}

/** What the loop carries from step to step. */
interface Loop {
  readonly run: Run;
  readonly context: OptimizerContext;
  readonly rates: Rates;
  readonly start: number;
  /** The weights file that the run began with, or null. */
  readonly loaded: string | null;
  readonly steps: number;
  /** Steps whose updates are in the weights. */
  done: number;
  /** False while an update is under way, when only some of the weights may have changed. */
  isWhole: boolean;
  readonly pace: number[];
  readonly gradients: GradientWatch;
  readonly gpu: GpuWatch;
  /** Seconds spent between steps, on evaluations and checkpoints. */
  aside: number;
  emit(event: TrainEvent): void;
  /** The last checkpoint of this process, and the step after which it was saved. */
  saved: { readonly step: number; readonly path: string } | null;
  /** The step that could not be saved. */
  unsaved: number | null;
  /** The last evaluation of this process. */
  evaluated: { readonly step: number; readonly loss: number } | null;
  /** Whether it was said that the base model is no longer what it was. */
  isBaseChanged: boolean;
  /** Emits a warning about the strategy, unless one with this key was emitted before. */
  readonly warnOnce: WarnOnce;
  /** For checkpoints; null before the first batch. */
  metadata: CheckpointMetadata | null;
  end(): void;
}

async function begin(run: Run, onEvent: (event: TrainEvent) => void, expected: Expected | null): Promise<Loop> {
  const { config, engine, trainable, step } = run;
  const optimizer = createOptimizer(run);
  const { globalStep, loaded, warnings } = await loadCheckpoint(run, optimizer);
  await checkNothingLater(config, run.id, globalStep);
  for (const folder of [config.output_dir, join(config.output_dir, "checkpoints")]) await removeLeftovers(folder);
  await writeConfig(run);
  const files = [
    openMetricsFile(join(config.output_dir, "metrics.jsonl")),
    openEventFile(join(config.output_dir, "tensorboard")),
  ];
  const emit = (event: TrainEvent) => {
    const failures = files.flatMap((file) => file.write(event) ?? []);
    onEvent(event);
    for (const failure of failures) onEvent({ type: "warning", finding: lostMetrics(failure) });
  };
  const { steps } = config.optimization;
  emit({
    type: "started",
    globalStep,
    steps,
    ...strategyTold(run),
    engine: engine.name,
    environment: environmentOf(step.strategy.compiler),
    time: new Date().toISOString(),
    samples: run.data.samples,
    trainableParameters: trainable.tensors().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    trainingState: config.checkpoints.save_training_state,
    ...(expected === null ? {} : { expected }),
    loaded,
    outputDirectory: config.output_dir,
  });
  for (const finding of warnings) emit({ type: "warning", finding });
  return {
    run,
    context: contextOf(run, optimizer),
    rates: createRates(config, trainable.names),
    start: globalStep,
    loaded,
    steps,
    done: globalStep,
    isWhole: true,
    pace: [],
    gradients: new GradientWatch(),
    gpu: engine.isGpu === true ? watchGpu() : noGpu,
    aside: 0,
    emit,
    saved: null,
    unsaved: null,
    evaluated: null,
    isBaseChanged: false,
    warnOnce: createWarnOnce((code, message, help) => emit(warning(code, message, help))),
    metadata: null,
    end: () => {
      for (const file of files) file.close();
      optimizer.dispose();
    },
  };
}

/** Beside the checkpoints, in the official form. */
async function writeConfig({ config, step, params }: Run): Promise<void> {
  const strategy = toOfficial(config.training_strategy, { name: step.strategy.name, params });
  await writeTextAtomically(join(config.output_dir, "training_config.yaml"), savedConfig(config, strategy));
}

/** Optimizer step `j`, counted from 0: forward and backward over its micro-batches, a look at the numbers, the update. */
async function takeStep(loop: Loop, j: number): Promise<StepEvent> {
  const { run, context, rates, steps } = loop;
  const { gradient_accumulation_steps: microBatches } = run.config.optimization;
  const began = performance.now();
  const flopsBefore = run.engine.flops?.() ?? 0;
  const progress = { globalStep: j, progress: j / steps };
  const samples: (readonly string[])[] = [];
  const sets: string[] = [];
  let waitSeconds = 0;
  const accumulated = await accumulate(context, microBatches, async (i) => {
    const batch = await loadBatch(run, j * microBatches + i);
    loop.metadata = checkpointMetadata(run, batch, loop.metadata);
    waitSeconds += batch.waitSeconds;
    samples.push(batch.names);
    sets.push(...(batch.sets ?? []));
    return { ...batch, size: batch.names.length, draws: run.draws(j, i), progress } satisfies MicroBatch;
  });
  stopIfBroken(j, accumulated, samples);
  const learningRate = rates.usual(j) * (context.optimizer.stepSize?.() ?? 1);
  loop.isWhole = false;
  await accumulated.apply(rates.all(j));
  [loop.done, loop.isWhole] = [j + 1, true];
  warnOfIdleSamples(loop, idleSamples(accumulated.reports, samples));
  warnOfOverlaps(loop, overlappingTerms(accumulated.reports, samples));
  const secondsPerStep = (performance.now() - began) / 1000;
  const metrics = { ...stepMetrics(accumulated.reports, sets), learningRate, gradNorm: accumulated.gradNorm };
  const etaSeconds = j === loop.start ? null : (steps - j - 1) * meanPace(loop, j, secondsPerStep);
  const names = samples.flat();
  const flops = run.engine.flops === undefined ? null : run.engine.flops() - flopsBefore;
  const work = { samples: names.length, tokens: accumulated.tokens, flops, seconds: secondsPerStep };
  const speed = speedOf(work, run.engine.precision, loop.gpu.latest());
  // In KiB on every platform.
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
  const pace = { secondsPerStep, ...speed, waitSeconds, etaSeconds };
  return { type: "step", globalStep: j + 1, steps, samples: names, ...metrics, ...pace, peakMemoryBytes };
}

async function loadBatch({ data }: Run, index: number) {
  // Engines may compute for minutes without a turn of the event loop, which reading ahead and Ctrl-C need.
  await nextTurn();
  return data.load(index);
}

/** Seconds from step to step: the mean of the last ones, and what came between the steps of the whole run. */
function meanPace({ pace, aside, start }: Loop, j: number, secondsPerStep: number): number {
  pace.push(secondsPerStep);
  if (pace.length > 20) pace.shift();
  return pace.reduce((sum, seconds) => sum + seconds, 0) / pace.length + aside / (j - start);
}

const isDue = (done: number, interval: number | null): boolean => interval !== null && done % interval === 0;

/** Evaluates the held-out samples, if there are any, after `done` steps; leaves that once `signal` is aborted. */
async function evaluateAt(loop: Loop, done: number, signal: StopSignal | undefined): Promise<void> {
  const { run, context, steps, emit, warnOnce } = loop;
  if (run.heldOut === null) return;
  const began = performance.now();
  const progress = { globalStep: done, progress: done / steps };
  const evaluated = await evaluate(run, context.forward, progress, signal);
  if (evaluated === null) return;
  const { strays, ...evaluation } = evaluated;
  emit({ type: "evaluation", globalStep: done, ...evaluation, seconds: (performance.now() - began) / 1000 });
  loop.evaluated = { step: done, loss: evaluation.loss };
  const { config, id } = run;
  if (config.evaluation.keep_best && done > 0 && (await isBest(config.output_dir, id, evaluation.loss)))
    await save(loop, done);
  if (!strays) return;
  const message = `\`${run.step.strategy.name}\` sets noise levels itself, so evaluations are at its own and not at those of \`evaluation.sigmas\``;
  warnOnce(
    "LTX7020",
    "LTX7020",
    message,
    "let `sigma` be drawn by `sampled()` or `shifted_logit_normal(...)`, or leave it away",
  );
}

/** Saves the weights after `done` steps, unless that was the last thing done; returns their path. */
async function save(loop: Loop, done: number): Promise<string> {
  if (loop.saved?.step === done) return loop.saved.path;
  loop.unsaved = done;
  const { path, ofBase } = await saveWithoutDeleting(loop, done);
  loop.unsaved = null;
  if (ofBase?.severity === "error") throw new FindingsError([ofBase]);
  if (ofBase !== null) warnOfBase(loop, ofBase);
  const { checkpoints, evaluation } = loop.run.config;
  await deleteOlder(path, { last: checkpoints.keep_last_n, best: evaluation.keep_best }, loop.run.id);
  return path;
}

async function saveWithoutDeleting(loop: Loop, done: number) {
  const { evaluated } = loop;
  const loss = evaluated?.step === done ? { [lossKey]: String(evaluated.loss) } : {};
  const saved = await saveCheckpoint(loop.run, loop.context.optimizer, {
    globalStep: done,
    metadata: { ...loop.metadata, ...loss },
  });
  loop.saved = { step: done, path: saved.path };
  loop.emit({ type: "checkpoint", globalStep: done, path: saved.path });
  return saved;
}

/** The checkpoint of a resumed run that has not done a step: nothing is to be saved. Null where it lies in another folder. */
function untouched({ run: { config }, start, done, loaded }: Loop): string | null {
  if (done > start || loaded === null) return null;
  const path = weightsPath(config.output_dir, start, config.model.training_mode);
  return resolve(loaded) === resolve(path) ? loaded : null;
}

/** Ends the run when the step's numbers can not be right, before they reach the weights. */
function stopIfBroken(j: number, accumulated: AccumulatedGradients, samples: readonly (readonly string[])[]): void {
  const failure = failureOf(accumulated, samples, j);
  if (failure === null) return;
  accumulated.discard();
  const { code, path, what, advice } = failure;
  fail(code, `${what} at step ${j + 1}; training stopped`, advice, path);
}

/**
 * Saves what was trained before an error ends the run, beside the earlier checkpoints, none of which is deleted for it. Returns the
 * error, and says with it, or before it as a warning, where the weights are.
 */
async function rescue(loop: Loop, error: unknown): Promise<unknown> {
  const kept = await keepWeights(loop);
  if (error instanceof FindingsError) {
    const [first, ...others] = error.findings;
    return first === undefined ? error : new FindingsError([withKept(first, kept), ...others]);
  }
  if (loop.done > loop.start) loop.emit(warning("LTX7041", "the training is ended by an error", kept));
  return error;
}

/** The finding, whose help begins with what there is of the run's weights. */
function withKept(finding: Finding, kept: string): Finding {
  return { ...finding, help: finding.help === undefined ? kept : `${kept}; ${finding.help}` };
}

/** The last weights that were saved, as text. */
function lastWeights({ saved, loaded }: Loop): string {
  if (saved !== null)
    return `the weights of step ${saved.step} are in ${saved.path}; \`ltxc run --resume\` goes on from there`;
  return loaded === null ? "there is no earlier checkpoint" : `the run began from ${loaded}`;
}

/** Saves the weights if they are whole and not saved yet. Returns which weights there are now and where, as text. */
async function keepWeights(loop: Loop): Promise<string> {
  const { done, start, loaded, saved } = loop;
  if (saved?.step === done) return lastWeights(loop);
  if (done === start && saved === null)
    return loaded === null ? "no step was finished" : `no step was finished since ${loaded}`;
  try {
    if (!loop.isWhole) throw new Error("they were being updated");
    if (loop.unsaved === done) throw new Error("saving failed");
    await saveWithoutDeleting(loop, done);
    return lastWeights(loop);
  } catch (cause) {
    const reason = cause instanceof FindingsError ? cause.findings[0]?.message : (cause as Error).message;
    return `the weights of step ${done} could not be saved (${reason}); ${lastWeights(loop)}`;
  }
}

/** Once: a change stays at every checkpoint from then on. */
function warnOfBase(loop: Loop, finding: Finding): void {
  if (!loop.isBaseChanged) loop.emit({ type: "warning", finding });
  loop.isBaseChanged = true;
}

function warnOfIdleSamples({ warnOnce }: Loop, samples: readonly string[]): void {
  if (samples.length === 0) return;
  const message = `${samples.join(", ")}: every token is kept, so there is nothing to learn and the loss is 0; said only once`;
  warnOnce("LTX7003", "LTX7003", message);
}

/** The compiler refuses what is sure to be a mistake; this one shows in the data alone. */
function warnOfOverlaps({ warnOnce }: Loop, found: readonly { term: string; sample: string }[]): void {
  for (const { term, sample } of found) {
    const message = `the loss term \`${term}\` covers tokens that are kept clean, first in ${sample}; said only once`;
    const help = "write `over video.generated` (or `audio.generated`), or `over all` if it is meant";
    warnOnce(`LTX7005 ${term}`, "LTX7005", message, help);
  }
}

function warning(code: string, message: string, help?: string): TrainEvent {
  const path = ["training_strategy", "name"];
  return {
    type: "warning",
    finding: { code, severity: "warning", path, message, ...(help === undefined ? {} : { help }) },
  };
}
