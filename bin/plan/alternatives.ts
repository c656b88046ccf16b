/** Other settings with which a run takes less memory. */
import type { RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import {
  planOf,
  residentBytes,
  stepSeconds,
  type EngineSpeed,
  type Plan,
  type PlannedEngine,
  type Preflight,
} from "../../runtime/index.ts";
import { bytes } from "../shell/text.ts";
import { pace } from "./plan-text.ts";

/** The run with other settings, written as in the run config. */
export interface Alternative {
  readonly settings: readonly string[];
  readonly plan: Plan;
}

interface Change {
  readonly setting: string;
  readonly config: Partial<RunConfig["optimization"]>;
}

/** Changes that may save memory. An optimizer step trains on as many samples as before. */
function changesOf({ optimization }: RunConfig): readonly Change[] {
  const { enable_gradient_checkpointing, optimizer_type, batch_size, gradient_accumulation_steps } = optimization;
  const setting = `enable_gradient_checkpointing: ${!enable_gradient_checkpointing}`;
  const microBatches = batch_size * gradient_accumulation_steps;
  return [
    { setting, config: { enable_gradient_checkpointing: !enable_gradient_checkpointing } },
    ...(optimizer_type === "adamw"
      ? [{ setting: "optimizer_type: adamw8bit", config: { optimizer_type: "adamw8bit" as const } }]
      : []),
    ...(batch_size > 1
      ? [
          {
            setting: `batch_size: 1, gradient_accumulation_steps: ${microBatches}`,
            config: { batch_size: 1, gradient_accumulation_steps: microBatches },
          },
        ]
      : []),
  ];
}

/** Each change that saves memory on its own, and all of them together. Errors: FindingsError as `planOf`. */
export async function alternativesOf(
  config: RunConfig,
  step: Step,
  examined: Preflight,
  { plan, engine }: { readonly plan: Plan; readonly engine: PlannedEngine },
): Promise<readonly Alternative[]> {
  const planned = async (chosen: readonly Change[]): Promise<Alternative> => {
    const optimization = Object.assign({}, config.optimization, ...chosen.map((change) => change.config)) as Changed;
    const settings = chosen.map(({ setting }) => setting);
    return { settings, plan: await planOf({ ...config, optimization }, step, examined, engine) };
  };
  const single: Alternative[] = [];
  const saving: Change[] = [];
  for (const change of changesOf(config)) {
    const alternative = await planned([change]);
    if (!saves(alternative.plan, plan)) continue;
    single.push(alternative);
    saving.push(change);
  }
  if (saving.length < 2) return single;
  const all = await planned(saving);
  return single.every((one) => saves(all.plan, one.plan)) ? [...single, all] : single;
}

type Changed = RunConfig["optimization"];

export const memoryOf = ({ largest }: Plan): number => residentBytes(largest);

/** Whether one plan takes less memory than another, as far as people are told: where both read alike, nothing is gained. */
const saves = (less: Plan, than: Plan): boolean =>
  memoryOf(less) < memoryOf(than) && bytes(memoryOf(less)) !== bytes(memoryOf(than));

/** Rows of a table: settings, memory, and the time of a step where the speed is known. */
export function alternativeRows(alternatives: readonly Alternative[], speed: EngineSpeed | null): string[][] {
  return alternatives.map(({ settings, plan }) => {
    const time = speed === null ? "" : `about ${pace(stepSeconds(plan.commonest, speed))} a step`;
    const name = settings.length === 1 ? (settings[0] ?? "") : "all of these";
    return [name, `about ${bytes(memoryOf(plan))}`, time];
  });
}
