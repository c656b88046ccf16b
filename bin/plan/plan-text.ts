/** The memory and time of steps as text. */
import {
  REACHED,
  partsOfStep,
  recordingSeconds,
  residentBytes,
  runSeconds,
  stepSeconds,
  type CardSpeed,
  type EngineSpeed,
  type MeasuredSpeed,
  type Plan,
  type StepPlan,
} from "../../runtime/index.ts";
import { callsText } from "../run-view/calls.ts";
import { optimizationText, type AskedFor } from "../run-view/optimization.ts";
import { resumingText, type TrainingStateMode } from "../run-view/resuming.ts";
import { bytes, duration, rate } from "../shell/text.ts";

export interface PlannedRun {
  readonly steps: number;
  readonly trainingState: TrainingStateMode;
  readonly optimization: AskedFor;
}

/** Rows of a table, for a run of so many optimizer steps; `speed` is null if the engine of the plan does not work here. */
export function planRows(
  plan: Plan,
  { steps, trainingState, optimization }: PlannedRun,
  speed: MeasuredSpeed | CardSpeed | null,
): string[][] {
  const calls = callsText(plan.passes);
  const optimized = optimizationText(optimization);
  return [
    ...(calls === null ? [] : [["calls", calls]]),
    ...(optimized === null ? [] : [["weights", optimized]]),
    memoryRow(plan),
    ["resuming", resumingText(trainingState, plan.largest.memory.trained / 4, optimization)],
    ...timeRows(plan, speed),
    ...(speed === null
      ? []
      : [
          ["", runText(plan, steps, speed)],
          ["speed", speedText(speed)],
        ]),
  ];
}

/** The memory that a run takes. */
export const memoryRow = ({ largest, networks }: Plan): string[] => ["memory", memoryText(largest, networks)];

/** The time that a step takes, or what there is to do in it where the engine's speed is not known. */
export function timeRows({ largest, commonest }: Plan, speed: EngineSpeed | null): string[][] {
  if (commonest === largest) return [["time", workText(largest, speed)]];
  return [
    ["time", `${workText(largest, speed)} for the largest samples, ${largest.tokens} tokens`],
    ["", `${workText(commonest, speed)} for samples of the commonest size, ${commonest.tokens} tokens`],
  ];
}

/** What the parts of the memory are called. */
const names: Readonly<Record<keyof StepPlan["memory"], string>> = {
  weights: "base model",
  trained: "trained",
  optimizer: "optimizer",
  average: "moving average",
  captions: "captions",
  step: "a step",
  allocator: "kept by the allocator",
  program: "the program",
};

function memoryText(plan: StepPlan, networks: readonly string[]): string {
  const models = networks.length === 0 ? names.weights : `${names.weights} and ${networks.join(", ")}`;
  const parts = Object.entries({ ...names, weights: models }).flatMap(([key, name]) => {
    const size = plan.memory[key as keyof typeof names];
    return key === "average" && size === 0 ? [] : [`${name} ${bytes(size)}`];
  });
  return `about ${bytes(residentBytes(plan))} (${parts.join(", ")})`;
}

function workText(plan: StepPlan, speed: EngineSpeed | null): string {
  const { matmulFlops, movedBytes } = plan.cost;
  if (speed === null) return `${flops(matmulFlops)} a step`;
  const { products, moving, calls, copying } = partsOfStep(plan, speed);
  const parts = [
    `products ${pace(products)} for ${flops(matmulFlops)}`,
    `other operations ${pace(moving)} for ${bytes(movedBytes)}`,
    `calls ${pace(calls)}`,
    ...(copying === 0 ? [] : [`waiting for weights from the host ${pace(copying)}`]),
  ];
  return `about ${pace(stepSeconds(plan, speed))} a step (${parts.join(", ")})`;
}

function runText(plan: Plan, steps: number, speed: EngineSpeed): string {
  const recording = duration(recordingSeconds(plan));
  const taken = duration(steps * stepSeconds(plan.commonest, speed));
  return `about ${duration(runSeconds(plan, steps, speed))} for ${steps} steps (recording them ${recording}, the first time only; steps ${taken})`;
}

function speedText(speed: MeasuredSpeed | CardSpeed): string {
  const rates = `${rate(speed.matmulGflops)} GFLOP/s, ${rate(speed.bandwidthGBs)} GB/s`;
  if ("computedFor" in speed) {
    const [products, moving] = [REACHED.products, REACHED.moving].map((share) => `${100 * share} %`);
    return `${rates}: computed, not measured (${products} of what NVIDIA publishes for ${speed.computedFor}'s products, ${moving} for its bandwidth)`;
  }
  const [day, time] = speed.measuredAt.split("T");
  return `${rates}, measured ${day} ${time?.slice(0, 5)} UTC; \`ltxc doctor\` measures anew`;
}

/** The time of a step, given in seconds, as text. */
export function pace(seconds: number): string {
  const milliseconds = 1000 * seconds;
  if (seconds >= 1) return duration(seconds);
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : milliseconds.toFixed(0)} ms`;
}

function flops(count: number): string {
  const units = ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"];
  const power = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(count) / 3)));
  return `${(count / 1000 ** power).toPrecision(3)} ${units[power]}`;
}
