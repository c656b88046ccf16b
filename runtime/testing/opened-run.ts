/** Opens and trains runs on the files of a project, for tests of whole runs. */
import { resolveConfig, type RunConfig } from "../config/index.ts";
import type { OutputInfo, Step } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { FindingsError, type Finding } from "../findings.ts";
import type { StepEvent, TrainEvent } from "../metrics/events.ts";
import { openRun } from "../opening/open-run.ts";
import { train } from "../train.ts";

export const targets: readonly string[] = ["attn1.to_q", "attn1.to_v", "attn2.to_q", "ff.net.2"];

/** Sections of a run config with the fields to set in them. */
export type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A config of four steps for the project in `folder`; `more` is what stands outside of these sections. */
export function configOf(
  folder: string,
  name: string,
  settings: Settings = {},
  more: Readonly<Record<string, unknown>> = {},
): RunConfig {
  const raw = {
    model: { model_path: "models/tiny-ltx2.safetensors", ...settings["model"] },
    lora: { rank: 4, target_modules: targets, ...settings["lora"] },
    training_strategy: { name, ...settings["training_strategy"] },
    data: { preprocessed_data_root: "data", ...settings["data"] },
    optimization: { steps: 4, learning_rate: 0.01, ...settings["optimization"] },
    checkpoints: { save_training_state: "full", ...settings["checkpoints"] },
    ...more,
  };
  const { config, findings } = resolveConfig(raw, { configDirectory: folder });
  if (config === null) throw new Error(findings.map(({ message }) => message).join());
  return config;
}

/** Trains a run to its end, in place of what an earlier one has left unless it goes on from it. `tensors` counts those of the engine after each step, `loading` has the warnings of the training. */
export async function trainIn(
  engine: Engine,
  { folder, step }: { readonly folder: string; readonly step: Step },
  settings: Settings = {},
  more: Readonly<Record<string, unknown>> = {},
) {
  const config = configOf(folder, step.strategy.name, settings, more);
  const onWork = config.model.load_checkpoint === null ? "overwrite" : "refuse";
  const { run, warnings, close } = await openRun(engine, config, step, { onWork });
  const events: TrainEvent[] = [];
  const tensors: number[] = [];
  const onEvent = (event: TrainEvent) => {
    events.push(event);
    if (event.type === "step") tensors.push(engine.memory().tensors);
  };
  const summary = await train(run, { onEvent });
  await close();
  const steps = events.filter((event): event is StepEvent => event.type === "step");
  const losses = steps.map(({ loss }) => loss);
  const loading = events.flatMap((event) =>
    event.type === "warning" ? [`${event.finding.code} ${event.finding.message}`] : [],
  );
  return { summary, events, steps, losses, tensors, warnings, loading };
}

async function caught(promise: Promise<unknown>): Promise<readonly Finding[]> {
  try {
    await promise;
    return [];
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings;
  }
}

/** Code and place of each finding that ends a promise; none where it is fulfilled. */
export const findingsOf = async (promise: Promise<unknown>): Promise<string[]> =>
  (await caught(promise)).map(({ code, path }) => `${code} ${path.join(".")}`);

/** Message of each finding that ends a promise; none where it is fulfilled. */
export const messagesOf = async (promise: Promise<unknown>): Promise<string[]> =>
  (await caught(promise)).map(({ message }) => message);

const heads: readonly OutputInfo[] = [
  { name: "mid", kind: "tap", modality: "video", block: 0 },
  { name: "aligned", kind: "linear", modality: "video", input: "mid", features: 3, activation: "gelu" },
];

/** The step with a loss on a head over the first block, as a strategy with these `outputs` has one. */
export function withHeads(step: Step, outputs = heads): Step {
  const { strategy } = step;
  const losses = [...strategy.losses, { name: "align", modality: "video" as const }];
  return {
    ...step,
    strategy: { ...strategy, outputs, losses },
    loss(ctx, prepared, prediction) {
      const { aligned } = prediction.outputs;
      if (aligned === undefined) throw new Error("no head");
      const align = ctx.ops.mean(ctx.ops.square(ctx.ops.sub(aligned, 1)), [1, 2]);
      return { ...step.loss(ctx, prepared, prediction), align };
    },
  };
}

/** Weights of all parts are trained, saved unrounded in the middle and at the end. */
export const full = { model: { training_mode: "full" }, checkpoints: { precision: "float32", interval: 2 } };

/** By how much each count is above the one before. */
export const growth = (counts: readonly number[]): number[] =>
  counts.slice(1).map((count, i) => count - (counts[i] ?? NaN));
