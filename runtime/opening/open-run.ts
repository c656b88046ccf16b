import { existsSync } from "node:fs";
import type { LoraConfig, RunConfig } from "../config/run-config.ts";
import { resolveParams, strategyOf } from "../config/strategy.ts";
import type { Step } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { checkpointHash } from "../model/checkpoint-hash.ts";
import type { ExaminedModel } from "../model/checkpoint.ts";
import { createPositions } from "../model/positions.ts";
import { drawsAhead } from "../random/draws-ahead.ts";
import { philoxSource } from "../random/draws.ts";
import { fingerprintOf } from "../training/fingerprint.ts";
import { loadBatches, loadHeldOut, openData } from "./open-data.ts";
import { checkModel, openModel } from "./open-model.ts";
import { checkFiles, checkOutput } from "./checks.ts";
import { together } from "../findings.ts";
import { checkSamples, openSamples } from "./open-samples.ts";
import { checkResume } from "../checkpoints/resume.ts";
import type { Run } from "../training/run-inputs.ts";
import { createTextContexts } from "./text-contexts.ts";

export interface OpenedRun {
  readonly run: Run;
  readonly warnings: readonly Finding[];
  /** Stops reading ahead and frees the model. */
  close(): Promise<void>;
}

/**
 * Opens all that a run needs, after having looked at all of it: parameters, files, output folder, data, then the model.
 * @throws FindingsError with every mistake found, LTX60xx to LTX63xx
 */
export async function openRun(engine: Engine, config: RunConfig, step: Step): Promise<OpenedRun> {
  const examined = await preflight(config, step);
  return openExamined(engine, config, step, examined);
}

/** What was found of a run before anything of it was opened. */
export type Preflight = Awaited<ReturnType<typeof preflight>>;

/**
 * Opens a run that was looked at.
 * @param blocks of the transformer, only so many of the first; without it all
 * @throws FindingsError as `openRun`, where files have changed since
 */
export async function openExamined(
  engine: Engine,
  config: RunConfig,
  step: Step,
  { params, data, fingerprint, warnings }: Preflight,
  blocks?: number,
): Promise<OpenedRun> {
  engine.remember?.(JSON.stringify([fingerprint.base_model, fingerprint.source_hash, params]));
  const model = await openModel(engine, step.strategy, config.model, {
    lora: loraOf(config),
    seed: config.seed,
    isCheckpointed: config.optimization.enable_gradient_checkpointing,
    ...(blocks === undefined ? {} : { blocks }),
  });
  const contexts = createTextContexts(engine, model.embeddings);
  const batches = loadBatches(engine, config, data, contexts);
  return {
    run: {
      config,
      step,
      params,
      fingerprint,
      engine,
      model: model.forward,
      trainable: model.trainable,
      positions: createPositions(model.scaleFactors),
      scaleFactors: model.scaleFactors,
      data: batches,
      heldOut: loadHeldOut(engine, data, contexts),
      samples: openSamples(engine, config, step.strategy, model),
      draws: drawsAhead(
        (j, microBatch) => philoxSource(config.seed, j, microBatch),
        config.optimization.gradient_accumulation_steps,
      ),
    },
    warnings,
    async close() {
      await batches.close();
      contexts.dispose();
      model.dispose();
    },
  };
}

/** The adapters to train; null where all weights are. */
function loraOf({ model, lora }: RunConfig): LoraConfig | null {
  return model.training_mode === "full" ? null : lora;
}

/**
 * Looks at everything that a run needs and that can be judged without loading the model, all at once.
 * @throws FindingsError with every mistake found
 */
export async function preflight(config: RunConfig, { strategy }: Step) {
  const { model } = config;
  const { params, findings } = resolveParams(strategy, strategyOf(config.training_strategy).params);
  let examined: ExaminedModel | null = null;
  const [, data] = await together([
    async () => {
      // A missing file is said by `checkFiles`.
      if (existsSync(model.model_path)) examined = await checkModel(strategy, model, loraOf(config));
    },
    () => openData(config, strategy, params, examined),
    () => (examined === null ? undefined : checkSamples(config, strategy, examined)),
    () => checkFiles(config),
    () => checkOutput(config),
    () => {
      if (findings.length > 0) throw new FindingsError(findings);
    },
  ]);
  const samples = data.dataset.samples.map(({ name }) => name);
  const baseModel = await checkpointHash(model.model_path);
  const fingerprint = fingerprintOf({ config, strategy, params, samples, baseModel });
  await checkResume(config, fingerprint);
  const ofModel = (examined as ExaminedModel | null)?.warnings ?? [];
  return {
    params,
    data,
    fingerprint,
    model: examined as ExaminedModel | null,
    warnings: [...data.warnings, ...ofModel],
  };
}
