/** What a run will be like: what it trains on, and what it takes. */
import type { RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import {
  measureEngine,
  openEngine,
  planOf,
  surveyOf,
  type Counted,
  type EngineSpeed,
  type Plan,
  type Preflight,
  type SizeOfLatents,
  type Survey,
} from "../../runtime/index.ts";
import { FindingsError } from "../../runtime/findings.ts";
import { table } from "../shell/text.ts";
import { planRows } from "./plan-text.ts";

export interface Outlook {
  readonly survey: Survey;
  readonly plan: Plan;
  /** Optimizer steps of the run. */
  readonly steps: number;
  /** `checkpoints.save_training_state` */
  readonly trainingState: RunConfig["checkpoints"]["save_training_state"];
  readonly speed: EngineSpeed | null;
  /** Imported functions whose operations are not in the plan. */
  readonly leftOut: readonly string[];
}

/** A run that could start. */
interface Ready {
  readonly config: RunConfig;
  readonly step: Step;
  readonly leftOut?: readonly string[];
}

/** Errors: FindingsError where files have changed since they were examined. */
export async function outlookOf({ config, step, leftOut = [] }: Ready, examined: Preflight): Promise<Outlook> {
  return {
    survey: surveyOf(step.strategy, examined.data),
    plan: await planOf(config, step, examined),
    steps: config.optimization.steps,
    trainingState: config.checkpoints.save_training_state,
    speed: await speedOfOnnx(config),
    leftOut,
  };
}

const measured = new Map<RunConfig["runtime"]["provider"], Promise<EngineSpeed | null>>();

/** The measured speed of the engine `onnx` with the run's provider, measured once for each provider; null if it does not work here. */
export function speedOfOnnx({ runtime: { provider } }: RunConfig): Promise<EngineSpeed | null> {
  const speed = measured.get(provider) ?? measureOnnx(provider);
  measured.set(provider, speed);
  return speed;
}

async function measureOnnx(provider: RunConfig["runtime"]["provider"]): Promise<EngineSpeed | null> {
  try {
    return await measureEngine((await openEngine("onnx", { provider })).engine);
  } catch (error) {
    if (error instanceof FindingsError) return null;
    throw error;
  }
}

/** How many lines of one kind are shown; the others are only counted. */
const SHOWN = 10;

/** The outlook of the run config `path` as text. */
export function outlookText(path: string, { survey, plan, steps, trainingState, speed, leftOut }: Outlook): string {
  const rows = [...surveyRows(survey), ...planRows(plan, { steps, trainingState }, speed), ...leftOutRows(leftOut)];
  return `${path}\n${indented(table(rows))}`;
}

/** Says which imported functions the memory and time are without; nothing where there are none. */
export function leftOutRows(leftOut: readonly string[]): string[][] {
  if (leftOut.length === 0) return [];
  return [["left out", `what imported functions take: ${leftOut.join(", ")}; \`ltxc plan --run-imports\` runs them`]];
}

export const indented = (text: string): string =>
  text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");

function surveyRows({ training, heldOut, skipped, lookedAt, sizes, framesPerSecond, captions }: Survey): string[][] {
  const all = training + heldOut;
  return [
    ["samples", heldOut === 0 ? `${training} to train on` : `${training} to train on, ${heldOut} to evaluate`],
    ...rowsOf("skipped", skipped, ({ name, reason }) => `${name}: ${reason}`),
    ...(lookedAt < all ? [["looked at", `the headers of ${lookedAt} of them, evenly spread`]] : []),
    ...rowsOf("sizes", sizes, ({ value, samples }) => `${sizeText(value)}${share(samples, lookedAt)}`),
    ...rowsOf("frames/s", framesPerSecond, (entry) => counted(entry, lookedAt)),
    ...rowsOf("captions", captions, ({ value, samples }) => `${value} tokens${share(samples, lookedAt)}`),
  ];
}

const counted = ({ value, samples }: Counted<number>, of: number): string => `${value}${share(samples, of)}`;

/** The number of samples, or nothing if it is all of them. */
function share(samples: number, of: number): string {
  return samples === of ? "" : ` (${samples} ${samples === 1 ? "sample" : "samples"})`;
}

function rowsOf<Item>(name: string, items: readonly Item[], lineOf: (item: Item) => string): string[][] {
  const lines = items.slice(0, SHOWN).map(lineOf);
  const rest = items.length - lines.length;
  return [...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].map((line, i) => [i === 0 ? name : "", line]);
}

function sizeText({ source, grid, tokens, shift, storage }: SizeOfLatents): string {
  const size = grid.length > 1 ? `${grid.join(" x ")} = ${tokens} tokens` : `${tokens} tokens`;
  const level = shift === null ? "" : `, sigma shift ${shift.toFixed(2)}`;
  return `${source}: ${size}, ${storage}${level}`;
}
