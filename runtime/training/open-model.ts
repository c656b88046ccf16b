import type { LoraConfig, ModelConfig } from "../config/run-config.ts";
import type { Finding, ModelInputs, Prediction, ScaleFactors, StrategyInfo } from "../contract.ts";
import { ROOT_PLACE } from "../data/directories.ts";
import type { Engine } from "../engine/engine.ts";
import { fail } from "../findings.ts";
import { loadModel } from "../model/checkpoint.ts";
import type { TransformerConfig } from "../model/config.ts";
import type { EmbeddingsProcessor } from "../model/embeddings.ts";
import { transformerLayout } from "../model/layout.ts";
import { createLora, matchTargets, type LoraAdapters } from "../model/lora.ts";
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
  const streams = { video: modalities.video !== null, audio: modalities.audio !== null };
  const loaded = await loadModel(engine, { modelPath: model.model_path, videoVaePath: model.video_vae_path, streams });
  try {
    const { targets, warnings } = matchTargets(transformerLayout(loaded.config), lora.target_modules);
    const start = (name: string, count: number) => uniform({ seed, step: 0, microBatch: 0, name }, count);
    const adapters = createLora(engine, targets, lora, start);
    const transformer = createTransformer(engine.ops, loaded.config, loaded.weights, adapters);
    return {
      forward: (inputs) => {
        checkChannels(loaded.config, inputs);
        return transformer.forward(inputs);
      },
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

/** The latents' channels are known only when the strategy has made tokens of them. */
function checkChannels(config: TransformerConfig, inputs: ModelInputs): void {
  for (const stream of ["video", "audio"] as const) {
    const [found, wanted] = [inputs[stream]?.latent.shape[2], config[stream]?.inChannels];
    if (found === undefined || wanted === undefined || found === wanted) continue;
    const help = "preprocess the data with the autoencoder that belongs to the run's model";
    fail(
      "LTX6134",
      `the ${stream} latents have ${found} channels per token, the model takes ${wanted}`,
      help,
      ROOT_PLACE,
    );
  }
}
