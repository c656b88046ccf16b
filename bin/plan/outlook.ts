/** What a run will be like: what it trains on, and what it takes. */
import { askedFor, type RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import {
  planBytes,
  surveyOf,
  type Counted,
  type Plan,
  type Preflight,
  type SizeOfLatents,
  type Survey,
} from "../../runtime/index.ts";
import { table } from "../shell/text.ts";
import { roomOf } from "./memory-check.ts";
import { settledPlan } from "./offload.ts";
import { planRows, type PlannedRun } from "./plan-text.ts";
import { reckoningFor, reckoningText, type Reckoning } from "./planned-engine.ts";

export interface Outlook extends Reckoning {
  readonly survey: Survey;
  readonly plan: Plan;
  /** Whether frozen weights of blocks wait on the host, where that was decided for the plan; else as the run config says. */
  readonly offload: RunConfig["runtime"]["offload"];
  /** What `plan.largest.memory` adds up to. */
  readonly residentBytes: number;
  /** Optimizer steps of the run. */
  readonly steps: number;
  /** `checkpoints.save_training_state` */
  readonly trainingState: RunConfig["checkpoints"]["save_training_state"];
  /** What `runtime.optimization` asks for. */
  readonly optimization: PlannedRun["optimization"];
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
  const reckoning = await reckoningFor(config);
  const { engine } = reckoning;
  const room = engine.provider === "cuda" ? await roomOf(config, engine) : null;
  const { plan, config: settled } = await settledPlan(config, step, examined, { engine, most: room?.bytes ?? null });
  return {
    survey: surveyOf(step.strategy, examined.data),
    plan,
    offload: settled.runtime.offload,
    residentBytes: planBytes(plan),
    steps: config.optimization.steps,
    trainingState: config.checkpoints.save_training_state,
    optimization: askedFor(config.runtime),
    ...reckoning,
    leftOut,
  };
}

/** How many lines of one kind are shown; the others are only counted. */
const SHOWN = 10;

/** The outlook of the run config `path` as text. */
export function outlookText(path: string, outlook: Outlook): string {
  const { survey, plan, speed, leftOut } = outlook;
  const rows = [
    ...surveyRows(survey),
    ["computed by", reckoningText(outlook)],
    ...planRows(plan, outlook, speed),
    ...leftOutRows(leftOut),
  ];
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

function surveyRows(survey: Survey): string[][] {
  const { training, heldOut, skipped, datasets, lookedAt, sizes, framesPerSecond, captions } = survey;
  const all = training + heldOut;
  return [
    ["samples", heldOut === 0 ? `${training} to train on` : `${training} to train on, ${heldOut} to evaluate`],
    ...rowsOf(
      "data sets",
      datasets,
      ({ name, samples, perBatch }) => `${name}: ${samples} samples, ${perBatch} of them in every batch`,
    ),
    ...rowsOf("skipped", skipped, ({ name, reason }) => `${name}: ${reason}`),
    ...(lookedAt < all ? [["looked at", `the headers of ${lookedAt} of them, evenly spread`]] : []),
    ...rowsOf("sizes", sizes, ({ value, samples }) => `${sizeText(value)}${share(samples, lookedAt)}`),
    ...rowsOf("frames/s", framesPerSecond, (entry) => counted(entry, lookedAt)),
    ...rowsOf("captions", captions, ({ value, samples, source }) => {
      const name = captions.some((other) => other.source !== source) ? `${source}: ` : "";
      return `${name}${value} tokens${share(samples, lookedAt)}`;
    }),
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
