/** The first side of a comparison: a run of ltxc's own, on the CPU. */
import { join } from "node:path";
import type { RunConfig } from "../../runtime/config/index.ts";
import type { Step } from "../../runtime/contract.ts";
import type { Finding } from "../../runtime/findings.ts";
import { openEngine, openRun, train, type Engine, type TrainEvent } from "../../runtime/index.ts";
import { memoryBefore } from "../plan/memory-check.ts";
import type { StepLoss } from "./compare.ts";
import { settingsHere } from "./settings.ts";

export interface Shown {
  /** A line about what happens next. */
  note(line: string): void;
  step(who: "ltxc" | "ltx-trainer", step: number, loss: number): void;
  warn(findings: readonly Finding[]): void;
}

interface TrainedHere {
  readonly losses: readonly StepLoss[];
  /** The weights that both sides start from; null for those of the model. */
  readonly start: string | null;
}

interface Here {
  readonly config: RunConfig;
  readonly step: Step;
  readonly steps: number;
  /** The folder of the comparison; absolute. */
  readonly folder: string;
}

/**
 * Trains `steps` steps into `FOLDER/ltxc`. A LoRA starts from what one step makes of it, in `FOLDER/start`: the official trainer draws
 * other numbers for new adapters.
 * @returns null where it was stopped
 * @throws FindingsError as any run
 */
export async function trainHere(here: Here, shown: Shown, signal: AbortSignal): Promise<TrainedHere | null> {
  const { config, steps, folder } = here;
  const own = settingsHere(config, { steps, outputs: join(folder, "ltxc"), start: config.model.load_checkpoint });
  const { engine, reason } = await openEngine(own.runtime.engine, { ...own.runtime, precision: "float32" });
  let start = own.model.load_checkpoint;
  if (config.model.training_mode === "lora") {
    shown.note("one step of ltxc, for weights that both start from");
    const first = { ...own, optimization: { ...own.optimization, steps: 1 }, output_dir: join(folder, "start") };
    const begun = await trainAll(engine, first, here.step, { ...shown, step() {} }, signal);
    if (begun === null) return null;
    start = begun.checkpoint;
  }
  shown.note(`${steps} steps of ltxc (engine ${engine.name}: ${reason})`);
  const whole = { ...own, model: { ...own.model, load_checkpoint: start } };
  const trained = await trainAll(engine, whole, here.step, { ...shown, warn() {} }, signal);
  return trained === null ? null : { losses: trained.losses, start };
}

async function trainAll(engine: Engine, config: RunConfig, step: Step, shown: Shown, signal: AbortSignal) {
  const opened = await openRun(engine, config, step, {
    judge: async (own, examined) => (await memoryBefore({ config: own, step, engine }, examined)).findings,
  });
  try {
    shown.warn(opened.warnings);
    const losses: StepLoss[] = [];
    const onEvent = (event: TrainEvent) => {
      if (event.type === "warning") shown.warn([event.finding]);
      if (event.type !== "step") return;
      losses.push({ step: event.globalStep, terms: event.terms, samples: event.samples });
      shown.step("ltxc", event.globalStep, event.loss);
    };
    const { type, checkpoint } = await train(opened.run, { onEvent, signal });
    return type === "interrupted" ? null : { losses, checkpoint };
  } finally {
    await opened.close();
  }
}
