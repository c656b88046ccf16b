import type { LoraConfig, ModelConfig } from "../config/run-config.ts";
import type { Finding, ModelInputs, ScaleFactors, StrategyInfo } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { FindingsError } from "../findings.ts";
import { examineModel, loadModel, type ExaminedModel, type LoadOptions } from "../model/checkpoint.ts";
import type { TransformerConfig } from "../model/config.ts";
import type { EmbeddingsProcessor } from "../model/embeddings.ts";
import { transformerLayout } from "../model/layout.ts";
import { checkStreams, createLora, matchTargets } from "../model/lora.ts";
import { checkOutputs, createOutputs } from "../model/outputs.ts";
import { createTransformer, type Perturbation, type Velocities } from "../model/transformer.ts";
import type { Model } from "./forward.ts";
import type { Trainable } from "./optimizer-step.ts";
import { uniform } from "./philox.ts";

/** The frozen model with new adapters, and with the heads that the strategy puts on it. */
export interface TrainableModel {
  readonly forward: Model;
  /** To draw samples with: no outputs, and on demand without some of the attention. */
  readonly velocities: (inputs: ModelInputs, perturbation?: Perturbation) => Velocities;
  readonly config: TransformerConfig;
  readonly trainable: Trainable;
  readonly embeddings: EmbeddingsProcessor;
  readonly scaleFactors: ScaleFactors;
  readonly warnings: readonly Finding[];
  /** Frees weights, adapters and heads. */
  dispose(): void;
}

function loadOptions(model: ModelConfig, modalities: StrategyInfo["modalities"]): LoadOptions {
  const streams = { video: modalities.video !== null, audio: modalities.audio !== null };
  return { modelPath: model.model_path, videoVaePath: model.video_vae_path, streams };
}

/**
 * Judges a checkpoint and the adapters' targets by the checkpoint's header.
 * @throws FindingsError LTX62xx, those of `openModel` LTX6212 when no target takes part in the run, LTX6217 for outputs of blocks beyond
 * the model's
 */
export async function checkModel(
  { modalities, outputs }: StrategyInfo,
  model: ModelConfig,
  lora: LoraConfig,
): Promise<ExaminedModel> {
  const options = loadOptions(model, modalities);
  const examined = await examineModel(options);
  const { targets, warnings } = matchTargets(transformerLayout(examined.config), lora.target_modules);
  const errors = [...checkStreams(targets, options.streams), ...checkOutputs(outputs, examined.config)];
  if (errors.length > 0) throw new FindingsError(errors);
  return { ...examined, warnings: [...examined.warnings, ...warnings] };
}

/**
 * Loads a checkpoint and puts adapters on the layers that `lora.target_modules` names. Their start and that
 * of the strategy's heads depend on `seed` and names alone.
 * @throws FindingsError LTX62xx for a checkpoint that can not be read and targets that choose nothing
 */
export async function openModel(
  engine: Engine,
  { modalities, outputs: infos }: StrategyInfo,
  model: ModelConfig,
  lora: LoraConfig,
  seed: number,
): Promise<TrainableModel> {
  const loaded = await loadModel(engine, loadOptions(model, modalities));
  try {
    const { targets, warnings } = matchTargets(transformerLayout(loaded.config), lora.target_modules);
    const start = (name: string, count: number) => uniform({ seed, step: 0, microBatch: 0, name }, count);
    const adapters = createLora(engine, targets, lora, start);
    const outputs = createOutputs(engine, infos, loaded.config, start);
    const transformer = createTransformer(engine.ops, loaded.config, loaded.weights, adapters);
    const trainable = joined(adapters, outputs);
    return {
      forward(inputs, targets, dropout) {
        adapters.setDropout(dropout ?? null);
        if (targets === undefined || infos.length === 0) return { ...transformer.forward(inputs), outputs: {} };
        const collected = outputs.collect(targets);
        return { ...transformer.forward(inputs, collected.tap), outputs: collected.outputs() };
      },
      velocities(inputs, perturbation) {
        adapters.setDropout(null);
        return transformer.forward(inputs, undefined, perturbation);
      },
      config: loaded.config,
      trainable,
      embeddings: loaded.embeddings,
      scaleFactors: loaded.scaleFactors,
      warnings: [...loaded.warnings, ...warnings],
      dispose: () => {
        engine.dispose(...trainable.tensors());
        loaded.dispose();
      },
    };
  } catch (error) {
    loaded.dispose();
    throw error;
  }
}

/** What is trained of both, one behind the other. */
function joined(a: Trainable, b: Trainable): Trainable {
  return {
    names: [...a.names, ...b.names],
    tensors: () => [...a.tensors(), ...b.tensors()],
    replace(tensors) {
      a.replace(tensors.slice(0, a.names.length));
      b.replace(tensors.slice(a.names.length));
    },
  };
}
