import type { EvaluationEvent, StartedEvent, StepEvent } from "../../runtime/index.ts";

/** The contents of a metrics file. Numbers that the file lacks are NaN; of steps that were done twice only the second ones are kept. */
export interface Metrics {
  readonly started: readonly Partial<StartedEvent>[];
  readonly steps: readonly Step[];
  readonly evaluations: readonly Evaluation[];
  readonly warnings: readonly string[];
  /** How it ended; null if it was cut short or is still going on. */
  readonly end: "finished" | "interrupted" | null;
  /** How many lines could not be read, for example because the machine stopped while one was written. */
  readonly damaged: number;
}

type Numbers = Readonly<Record<string, number>>;

export interface Step extends Pick<
  StepEvent,
  "loss" | "learningRate" | "gradNorm" | "secondsPerStep" | "samplesPerSecond" | "waitSeconds" | "peakMemoryBytes"
> {
  readonly globalStep: number;
  readonly steps: number;
  readonly terms: Numbers;
  readonly sigmaBuckets: Numbers;
}

export interface Evaluation extends Pick<EvaluationEvent, "globalStep" | "loss" | "sigmas"> {}

type Line = Readonly<Record<string, unknown>>;

const isLine = (value: unknown): value is Line =>
  typeof value === "object" && value !== null && !Array.isArray(value) && "type" in value;

const lineOf = (text: string): Line | null => {
  try {
    const value: unknown = JSON.parse(text);
    return isLine(value) ? value : null;
  } catch {
    return null;
  }
};

/** JSON writes NaN and infinity as null. */
const number = (value: unknown): number => (typeof value === "number" ? value : Number.NaN);
const record = (value: unknown): Line => (isObject(value) ? value : {});
const isObject = (value: unknown): value is Line =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const numbers = (value: unknown): Numbers =>
  Object.fromEntries(Object.entries(record(value)).map(([name, entry]) => [name, number(entry)]));

/** Reads JSON lines in any state: cut off, mixed with other text, or written by a version with fewer keys. */
export function readMetrics(text: string): Metrics {
  const parsed = text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [lineOf(line)]));
  const all = parsed.filter((line) => line !== null);
  // The lines before are from an earlier run in the same folder.
  const lines = all.slice(
    Math.max(
      0,
      all.findLastIndex(({ type, globalStep }) => type === "started" && globalStep === 0),
    ),
  );
  const steps = new Map<number, Step>();
  const evaluations = new Map<number, Evaluation>();
  for (const line of lines) {
    const at = number(line["globalStep"]);
    if (Number.isNaN(at)) continue;
    // A run that goes on from an earlier checkpoint does the later steps again.
    if (line["type"] === "started") forget([steps, evaluations], at);
    if (line["type"] === "step") steps.set(at, stepOf(line, at));
    if (line["type"] === "evaluation") evaluations.set(at, evaluationOf(line, at));
  }
  const last = lines.findLast(({ type }) => ["started", "step", "finished", "interrupted"].includes(String(type)));
  const end = last?.["type"];
  return {
    started: lines.filter(({ type }) => type === "started"),
    steps: inOrder(steps),
    evaluations: inOrder(evaluations),
    warnings: lines.flatMap(({ type, finding }) => (type === "warning" ? [warningOf(record(finding))] : [])),
    end: end === "finished" || end === "interrupted" ? end : null,
    damaged: parsed.length - all.length,
  };
}

function forget(maps: readonly Map<number, unknown>[], after: number): void {
  for (const map of maps) for (const step of map.keys()) if (step > after) map.delete(step);
}

const inOrder = <Value extends { readonly globalStep: number }>(map: ReadonlyMap<number, Value>): Value[] =>
  [...map.values()].toSorted((a, b) => a.globalStep - b.globalStep);

function stepOf(line: Line, globalStep: number): Step {
  return {
    globalStep,
    steps: number(line["steps"]),
    loss: number(line["loss"]),
    terms: numbers(line["terms"]),
    sigmaBuckets: numbers(line["sigmaBuckets"]),
    learningRate: number(line["learningRate"]),
    gradNorm: number(line["gradNorm"]),
    secondsPerStep: number(line["secondsPerStep"]),
    samplesPerSecond: number(line["samplesPerSecond"]),
    waitSeconds: number(line["waitSeconds"]),
    peakMemoryBytes: number(line["peakMemoryBytes"]),
  };
}

function evaluationOf(line: Line, globalStep: number): Evaluation {
  const list: readonly unknown[] = Array.isArray(line["sigmas"]) ? line["sigmas"] : [];
  const sigmas = list.map((entry) => ({ sigma: number(record(entry)["sigma"]), loss: number(record(entry)["loss"]) }));
  return { globalStep, loss: number(line["loss"]), sigmas };
}

const warningOf = ({ code, message }: Line): string => `${String(code)}: ${String(message)}`;
