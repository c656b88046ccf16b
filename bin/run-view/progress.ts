import type { StepEvent } from "../../runtime/index.ts";
import type { Colors } from "../shell/color.ts";
import { bytes, duration } from "../shell/text.ts";

/** The state of a run after a step. */
export interface Progress extends Omit<StepEvent, "type"> {
  /** The loss without most of its noise: that of one step says little, since each step draws other noise levels. */
  readonly smoothedLoss: number;
  /** The smoothed loss of each range of noise levels that has occurred so far. */
  readonly sigmaBuckets: Readonly<Record<string, number>>;
}

/** Steps from one line to the next if there is no terminal to draw on. */
const plainInterval = 20;

/** Another trainer does not tell all numbers of a step; those are NaN. */
const known = (value: number, show: (value: number) => string): string[] => (Number.isNaN(value) ? [] : [show(value)]);

function numbers({ smoothedLoss, learningRate, secondsPerStep, etaSeconds }: Progress): string {
  const left = etaSeconds === null ? "…" : duration(etaSeconds);
  const rate = known(learningRate, (value) => `LR ${value.toExponential(2)}`);
  const pace = known(secondsPerStep, (value) => `${value.toFixed(2)} s/step`);
  return [`loss ${smoothedLoss.toFixed(4)}`, ...rate, ...pace, `${left} left`].join("  ");
}

function bar(colors: Colors, share: number, width: number): string {
  const done = Math.round(share * width);
  return colors.cyan("━".repeat(done)) + colors.dim("─".repeat(width - done));
}

/** One line with a bar, cut to `columns`. */
function barLine(colors: Colors, progress: Progress, columns: number): string {
  const { globalStep, steps } = progress;
  const count = `${String(globalStep).padStart(String(steps).length)}/${steps}`;
  const text = numbers(progress);
  const room = columns - count.length - text.length - 4;
  if (room < 5) return `${count}  ${text}`.slice(0, columns - 1);
  return `${count} ${bar(colors, globalStep / steps, Math.min(room, 30))}  ${text}`;
}

/** The step's own numbers: its loss with each term, and the loss by noise level. */
function lossParts({ loss, terms, sigmaBuckets, datasets = {} }: Progress): readonly string[] {
  const entries = Object.entries(terms);
  const single = entries.length < 2;
  const parts = single ? [] : entries.map(([name, value]) => `${name} ${value.toFixed(4)}`);
  const sets = Object.entries(datasets).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  const bySet = sets.length === 0 ? [] : [`by data set  ${sets.join("  ")}`];
  const buckets = Object.entries(sigmaBuckets)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([range, value]) => `${range}: ${value.toFixed(4)}`);
  const bySigma = buckets.length === 0 ? [] : [`by sigma  ${buckets.join("  ")}`];
  return [[`this step ${loss.toFixed(4)}`, ...parts].join("  "), ...bySet, ...bySigma];
}

/** What the step costs; on a GPU a second line. */
function costs(progress: Progress): readonly string[] {
  const { gradNorm, samplesPerSecond, tokensPerSecond, peakMemoryBytes, gpu, mfu } = progress;
  const own = [
    ...known(gradNorm, (value) => `gradient ${value.toPrecision(3)}`),
    ...known(samplesPerSecond, (value) => `${value.toPrecision(3)} samples/s`),
    ...known(tokensPerSecond, (value) => `${Math.round(value).toLocaleString("en")} tokens/s`),
    ...known(peakMemoryBytes, (value) => `peak memory ${bytes(value)}`),
  ].join("  ");
  if (gpu === null) return [own];
  const gib = (count: number) => (count / 2 ** 30).toFixed(1);
  const share = mfu === null ? "" : `  ${Math.round(100 * mfu)} % of its peak (MFU)`;
  const memory = `${gib(gpu.memoryBytes)} of ${gib(gpu.memoryTotalBytes)} GiB`;
  return [own, `GPU memory ${memory}  ${Math.round(100 * gpu.utilization)} % busy${share}`];
}

/** What a terminal shows while a run goes on: a bar and lines of numbers below it, each cut to `columns`. */
export function progressBlock(colors: Colors, progress: Progress, columns: number): readonly string[] {
  const details = [...lossParts(progress), ...costs(progress)].map((line) =>
    colors.dim(`  ${line}`.slice(0, columns - 1)),
  );
  return [barLine(colors, progress, columns), ...details];
}

/** A line for a log, or null if this step gets none. The first and the last step always get one. */
export function plainLine(progress: Progress, isFirst: boolean): string | null {
  const { globalStep: step, steps } = progress;
  const isDue = isFirst || step === steps || step % plainInterval === 0;
  if (!isDue) return null;
  return [`step ${step}/${steps}  ${numbers(progress)}`, ...lossParts(progress), ...costs(progress)].join("  | ");
}
