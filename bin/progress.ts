import type { Colors } from "./color.ts";
import { duration } from "./layout.ts";

/** Where a run is, after a step. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly secondsPerStep: number;
  /** Null as long as nothing is known of it. */
  readonly secondsLeft: number | null;
}

/** Without a terminal to draw on, one line every so many steps is enough. */
const plainInterval = 20;

function numbers({ loss, learningRate, secondsPerStep, secondsLeft }: Progress): string {
  const left = secondsLeft === null ? "…" : duration(secondsLeft);
  return `loss ${loss.toFixed(4)}  LR ${learningRate.toExponential(2)}  ${secondsPerStep.toFixed(2)} s/step  ${left} left`;
}

function bar(colors: Colors, share: number, width: number): string {
  const done = Math.round(share * width);
  return colors.cyan("━".repeat(done)) + colors.dim("─".repeat(width - done));
}

/** One line with a bar, cut to `columns`. */
export function barLine(colors: Colors, progress: Progress, columns: number): string {
  const { step, steps } = progress;
  const count = `${String(step).padStart(String(steps).length)}/${steps}`;
  const text = numbers(progress);
  const room = columns - count.length - text.length - 4;
  if (room < 5) return `${count}  ${text}`.slice(0, columns - 1);
  return `${count} ${bar(colors, step / steps, Math.min(room, 30))}  ${text}`;
}

/** A line of its own for a log, or null where this step needs none. The first and the last step always get one. */
export function plainLine(progress: Progress, isFirst: boolean): string | null {
  const { step, steps } = progress;
  const isDue = isFirst || step === steps || step % plainInterval === 0;
  return isDue ? `step ${step}/${steps}  ${numbers(progress)}` : null;
}
