/** The memory and time of steps as text. */
import { residentBytes, stepSeconds, type EngineSpeed, type Plan, type StepPlan } from "../../runtime/index.ts";
import { resumingText, type TrainingStateMode } from "../run-view/resuming.ts";
import { bytes, duration } from "../shell/text.ts";

/** Rows of a table, for a run of so many optimizer steps; `speed` is null if the engine of the plan does not work here. */
export function planRows(
  { largest, commonest }: Plan,
  { steps, trainingState }: { readonly steps: number; readonly trainingState: TrainingStateMode },
  speed: EngineSpeed | null,
): string[][] {
  const more =
    commonest === largest
      ? []
      : [["", `${workText(commonest, speed)} for samples of the commonest size, ${commonest.tokens} tokens`]];
  return [
    ["memory", memoryText(largest)],
    ["resuming", resumingText(trainingState, largest.memory.trained / 4)],
    [
      "time",
      `${workText(largest, speed)}${commonest === largest ? "" : ` for the largest samples, ${largest.tokens} tokens`}`,
    ],
    ...more,
    ...(speed === null ? [] : [["", `about ${duration(steps * stepSeconds(commonest, speed))} for ${steps} steps`]]),
  ];
}

function memoryText(plan: StepPlan): string {
  const { weights, trained, optimizer, captions, step } = plan.memory;
  const parts: [string, number][] = [
    ["base model", weights],
    ["trained", trained],
    ["optimizer", optimizer],
    ["captions", captions],
    ["a step", step],
  ];
  return `about ${bytes(residentBytes(plan))} (${parts.map(([name, size]) => `${name} ${bytes(size)}`).join(", ")})`;
}

function workText(plan: StepPlan, speed: EngineSpeed | null): string {
  const work = `${flops(plan.cost.matmulFlops)} a step`;
  if (speed === null) return work;
  return `about ${pace(stepSeconds(plan, speed))} a step (${work}, ${Math.round(speed.matmulGflops)} GFLOP/s measured here)`;
}

/** The time of a step, given in seconds, as text. */
export function pace(seconds: number): string {
  return seconds < 1 ? `${(1000 * seconds).toPrecision(2)} ms` : duration(seconds);
}

function flops(count: number): string {
  const units = ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"];
  const power = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(count) / 3)));
  return `${(count / 1000 ** power).toPrecision(3)} ${units[power]}`;
}
