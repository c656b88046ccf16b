import type { RunConfig } from "../config/run-config.ts";
import type { Step } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import type { Finding } from "../findings.ts";
import { createPositions } from "../model/positions.ts";
import { drawsAhead } from "../random/draws-ahead.ts";
import { philoxSource } from "../random/draws.ts";
import { loadBatches, loadHeldOut } from "./open-data.ts";
import { openModel } from "./open-model.ts";
import { openSamples } from "./open-samples.ts";
import type { Run } from "../training/run-inputs.ts";
import { loraOf, preflight, type Preflight } from "./preflight.ts";
import { createTextContexts } from "./text-contexts.ts";

export interface OpenedRun {
  readonly run: Run;
  readonly warnings: readonly Finding[];
  /** Stops reading ahead and frees the model. */
  close(): Promise<void>;
}

/**
 * Opens everything that a run needs, after its preflight: parameters, files, output folder, data, then the model.
 * @throws FindingsError with every mistake found, LTX60xx to LTX63xx
 */
export async function openRun(engine: Engine, config: RunConfig, step: Step): Promise<OpenedRun> {
  const examined = await preflight(config, step);
  return openExamined(engine, config, step, examined);
}

/**
 * Opens a run whose preflight has passed.
 * @param blocks load only this many of the transformer's blocks, from the first on; default: all
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
