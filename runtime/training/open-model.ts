import type { LoraConfig, ModelConfig } from "../config/run-config.ts";
import type { Finding, ModelInputs, Prediction, ScaleFactors, StrategyInfo } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { FindingsError } from "../findings.ts";
import { examineModel, loadModel, type ExaminedModel, type LoadOptions } from "../model/checkpoint.ts";
import type { EmbeddingsProcessor } from "../model/embeddings.ts";
import { transformerLayout } from "../model/layout.ts";
import { checkStreams, createLora, matchTargets, type LoraAdapters } from "../model/lora.ts";
import { createTransformer } from "../model/transformer.ts";
import { uniform } from "./philox.ts";

/** The frozen model with new adapters. */
export interface TrainableModel {
  readonly forward: (inputs: ModelInputs) => Prediction;
  readonly adapters: LoraAdapters;
  readonly embeddings: EmbeddingsProcessor;
  readonly scaleFactors: ScaleFactors;
  readonly warnings: readonly Finding[];
  /** Frees weights and adapters. */
  dispose(): void;
}

function loadOptions(model: ModelConfig, modalities: StrategyInfo["modalities"]): LoadOptions {
  const streams = { video: modalities.video !== null, audio: modalities.audio !== null };
  return { modelPath: model.model_path, videoVaePath: model.video_vae_path, streams };
}

/**
 * Judges a checkpoint and the adapters' targets by the checkpoint's header.
 * @throws FindingsError LTX62xx, those of `openModel` and LTX6212 when no target takes part in the run
 */
export async function checkModel(
  { modalities }: StrategyInfo,
  model: ModelConfig,
  lora: LoraConfig,
): Promise<ExaminedModel> {
  const options = loadOptions(model, modalities);
  const examined = await examineModel(options);
  const { targets, warnings } = matchTargets(transformerLayout(examined.config), lora.target_modules);
  const idle = checkStreams(targets, options.streams);
  if (idle.length > 0) throw new FindingsError(idle);
  return { ...examined, warnings: [...examined.warnings, ...warnings] };
}

/**
 * Loads a checkpoint and puts adapters on the layers that `lora.target_modules` names. Their start depends on `seed` and the layer's
 * name alone.
 * @throws FindingsError LTX62xx for a checkpoint that can not be read and targets that choose nothing
 */
export async function openModel(
  engine: Engine,
  { modalities }: StrategyInfo,
  model: ModelConfig,
  lora: LoraConfig,
  seed: number,
): Promise<TrainableModel> {
  const loaded = await loadModel(engine, loadOptions(model, modalities));
  try {
    const { targets, warnings } = matchTargets(transformerLayout(loaded.config), lora.target_modules);
    const start = (name: string, count: number) => uniform({ seed, step: 0, microBatch: 0, name }, count);
    const adapters = createLora(engine, targets, lora, start);
    const transformer = createTransformer(engine.ops, loaded.config, loaded.weights, adapters);
    return {
      forward: (inputs) => ({ ...transformer.forward(inputs), outputs: {} }),
      adapters,
      embeddings: loaded.embeddings,
      scaleFactors: loaded.scaleFactors,
      warnings: [...loaded.warnings, ...warnings],
      dispose: () => {
        engine.dispose(...adapters.tensors());
        loaded.dispose();
      },
    };
  } catch (error) {
    loaded.dispose();
    throw error;
  }
}
