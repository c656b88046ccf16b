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
  | "loss"
  | "learningRate"
  | "gradNorm"
  | "secondsPerStep"
  | "samplesPerSecond"
  | "tokensPerSecond"
  | "waitSeconds"
  | "peakMemoryBytes"
> {
  readonly globalStep: number;
  readonly steps: number;
  readonly terms: Numbers;
  readonly sigmaBuckets: Numbers;
  readonly datasets: Numbers;
  readonly flopsPerSecond: number;
  readonly mfu: number;
  /** Of the GPU: bytes in use, bytes that there are, and the share of time in which it computes. */
  readonly gpu: Numbers;
  /** Empty without one. */
  readonly gpuName: string;
}

export interface Evaluation extends Pick<EvaluationEvent, "globalStep" | "loss" | "sigmas"> {
  readonly datasets: Numbers;
}

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

/** Reads JSON lines in any state: cut off, mixed with other text, or written by a version with fewer keys. Keeps one line at a time. */
export async function readMetrics(lines: Iterable<string> | AsyncIterable<string>): Promise<Metrics> {
  const found = new Collected();
  for await (const text of lines) if (text.trim() !== "") found.add(lineOf(text));
  return found.metrics();
}

class Collected {
  readonly #started: Partial<StartedEvent>[] = [];
  readonly #steps = new Map<number, Step>();
  readonly #evaluations = new Map<number, Evaluation>();
  readonly #warnings: string[] = [];
  #last: unknown = null;
  #damaged = 0;

  /** A line; null for one that cannot be read. */
  add(line: Line | null): void {
    if (line === null) {
      this.#damaged++;
      return;
    }
    const { type, finding } = line;
    const at = number(line["globalStep"]);
    if (type === "started") this.#begin(line, at);
    if (type === "step" && !Number.isNaN(at)) this.#steps.set(at, stepOf(line, at));
    if (type === "evaluation" && !Number.isNaN(at)) this.#evaluations.set(at, evaluationOf(line, at));
    if (type === "warning") this.#warnings.push(warningOf(record(finding)));
    if (["started", "step", "finished", "interrupted"].includes(String(type))) this.#last = type;
  }

  #begin(line: Line, at: number): void {
    if (at === 0) {
      // The lines before are from an earlier run in the same folder.
      this.#started.length = 0;
      this.#warnings.length = 0;
    }
    this.#started.push(line);
    // A run that goes on from an earlier checkpoint does the later steps again.
    if (!Number.isNaN(at)) forget([this.#steps, this.#evaluations], at === 0 ? -Infinity : at);
  }

  metrics(): Metrics {
    return {
      started: this.#started,
      steps: inOrder(this.#steps),
      evaluations: inOrder(this.#evaluations),
      warnings: this.#warnings,
      end: this.#last === "finished" || this.#last === "interrupted" ? this.#last : null,
      damaged: this.#damaged,
    };
  }
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
    datasets: numbers(line["datasets"]),
    learningRate: number(line["learningRate"]),
    gradNorm: number(line["gradNorm"]),
    secondsPerStep: number(line["secondsPerStep"]),
    samplesPerSecond: number(line["samplesPerSecond"]),
    tokensPerSecond: number(line["tokensPerSecond"]),
    flopsPerSecond: number(line["flopsPerSecond"]),
    mfu: number(line["mfu"]),
    gpu: numbers(line["gpu"]),
    gpuName: nameOf(record(line["gpu"])),
    waitSeconds: number(line["waitSeconds"]),
    peakMemoryBytes: number(line["peakMemoryBytes"]),
  };
}

const nameOf = ({ name }: Line): string => (typeof name === "string" ? name : "");

function evaluationOf(line: Line, globalStep: number): Evaluation {
  const list: readonly unknown[] = Array.isArray(line["sigmas"]) ? line["sigmas"] : [];
  const sigmas = list.map((entry) => ({ sigma: number(record(entry)["sigma"]), loss: number(record(entry)["loss"]) }));
  return { globalStep, loss: number(line["loss"]), sigmas, datasets: numbers(line["datasets"]) };
}

const warningOf = ({ code, message }: Line): string => `${String(code)}: ${String(message)}`;
