import type { ChosenLora } from "../config/index.ts";
import type { ModelConfig } from "../config/run-config.ts";
import type {
  ModelInputs,
  Prediction,
  ScaleFactors,
  StepContext,
  StrategyInfo,
  Tensor,
  Velocities,
  WeightInfo,
} from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { FindingsError, type Finding } from "../findings.ts";
import {
  examineModel,
  loadModel,
  loadTransformer,
  type ExaminedModel,
  type LoadedModel,
  type LoadOptions,
} from "../model/checkpoint.ts";
import type { Checkpointing } from "../model/checkpointing.ts";
import type { TransformerConfig } from "../model/config.ts";
import type { EmbeddingsProcessor } from "../model/embeddings.ts";
import { transformerLayout } from "../model/parameters.ts";
import type { Quantization } from "../model/quantize.ts";
import type { OnInterrupt } from "../model/quantized-file.ts";
import { checkRank, checkStreams, createLora, matchTargets, type Dropout, type Uniform } from "../model/lora.ts";
import { checkOutputs, createOutputs, type TargetTokens } from "../model/outputs.ts";
import { createStrategyWeights, type Normal } from "../model/strategy-weights.ts";
import { createTransformer, type Perturbation } from "../model/transformer.ts";
import type { Model } from "../training/forward.ts";
import type { Trainable } from "../training/optimizer-step.ts";
import { normal, uniform } from "../random/philox.ts";

/** The model with what is trained of it: new adapters or all of its weights, and the heads and weights of the strategy's own. */
export interface TrainableModel {
  readonly forward: Model;
  /** The moving average of what is trained, which `ema` as weights of a call means; null where the run keeps none. */
  readonly ema: Trainable | null;
  /** To draw samples with, of the average where there is one: no outputs, and on demand without some of the attention. */
  readonly velocities: (inputs: ModelInputs, perturbation?: Perturbation) => Velocities;
  /** The same of the base model alone; null under a full training that holds no copy of what it began with. */
  readonly baseVelocities: TrainableModel["velocities"] | null;
  /** A weight of the strategy's own: `concept.video`. */
  readonly weight: StepContext<unknown>["weight"];
  /** The same to draw samples with: of the average where there is one. */
  readonly sampledWeight: (name: string) => Tensor;
  readonly config: TransformerConfig;
  readonly trainable: Trainable;
  readonly embeddings: EmbeddingsProcessor;
  readonly scaleFactors: ScaleFactors;
  readonly warnings: readonly Finding[];
  /** Frees weights, adapters, heads and the strategy's weights. */
  dispose(): void;
}

function loadOptions(model: ModelConfig, modalities: StrategyInfo["modalities"]): LoadOptions {
  const streams = { video: modalities.video !== null, audio: modalities.audio !== null };
  return { modelPath: model.model_path, videoVaePath: model.video_vae_path, streams };
}

/**
 * Judges a checkpoint and the adapters' targets by the checkpoint's header.
 * @throws FindingsError LTX62xx, those of `openModel` LTX6212 when no target takes part in the run, LTX6217 for outputs of blocks beyond
 * the model's, LTX6250 for a rank with which an adapter would be too large
 */
export async function checkModel(
  { modalities, outputs, weights = [] }: StrategyInfo,
  model: ModelConfig,
  lora: ChosenLora | null,
): Promise<ExaminedModel> {
  const options = loadOptions(model, modalities);
  const examined = await examineModel(options);
  const matched = lora === null ? null : matchTargets(transformerLayout(examined.config), lora);
  const trainsOwn = weights.length > 0 || outputs.some(({ kind }) => kind === "linear");
  const ofTargets = matched === null ? [] : checkStreams(matched.targets, options.streams, { trainsOwn });
  const ofRank = lora === null || matched === null ? [] : checkRank(matched.targets, lora.rank);
  const errors = [...ofTargets, ...ofRank, ...checkOutputs(outputs, examined.config)];
  if (errors.length > 0) throw new FindingsError(errors);
  return { ...examined, warnings: [...examined.warnings, ...(matched?.warnings ?? [])] };
}

/** How a model is opened besides what the run config says, as by a plan, which needs less of it. */
export interface ModelOpening {
  /** How many of the transformer's blocks to load, from the first on; all if not given. */
  readonly blocks?: number;
  /** Leaves the start of what is trained at zero, since nothing is computed with it. */
  readonly isBlank?: boolean;
  /** Is told how far the quantization of weights is, in words for the user. */
  readonly tell?: (text: string) => void;
  /** Stops a quantization of weights: the opening then throws QuantizingStopped. */
  readonly onInterrupt?: OnInterrupt;
}

interface TrainingOptions extends ModelOpening {
  /** The adapters to train; null for all weights. */
  readonly lora: ChosenLora | null;
  readonly seed: number;
  /** Whether blocks keep nothing of what they compute for the backward pass. */
  readonly isCheckpointed: boolean;
  /** In how many bits the frozen weights are; null for as they are stored. */
  readonly quantization?: Quantization | null;
  /** Whether there is a moving average of what is trained; false if not given. */
  readonly hasEma?: boolean;
}

/**
 * Loads a checkpoint and puts adapters on the layers that `lora.target_modules` names; without `lora` all weights of the transformer that
 * the run feeds are trained. The start of adapters and of the strategy's heads and weights depends on `seed` and names alone.
 * @throws FindingsError LTX62xx for a checkpoint that can not be read and targets that choose nothing
 */
export async function openModel(
  engine: Engine,
  { modalities, outputs: infos, passes = [], weights = [] }: StrategyInfo,
  model: ModelConfig,
  trained: TrainingOptions,
): Promise<TrainableModel> {
  const { lora, seed, isCheckpointed, hasEma = false, blocks, isBlank = false } = trained;
  const { tell = () => {}, onInterrupt = () => () => {} } = trained;
  const how = { quantization: trained.quantization ?? null, isBlank, tell, onInterrupt };
  const options = { ...loadOptions(model, modalities), ...how, ...(blocks === undefined ? {} : { blocks }) };
  const loaded = await loadModel(engine, { ...options, isTrained: lora === null });
  const needsBase = passes.some(({ weights }) => weights === "base");
  const again = () => loadTransformer(engine, options);
  try {
    const keyOf = (name: string) => ({ seed, step: 0, microBatch: 0, name });
    const start = (name: string, count: number) => (isBlank ? new Float32Array(count) : uniform(keyOf(name), count));
    const spread = (name: string, count: number) => (isBlank ? new Float32Array(count) : normal(keyOf(name), count));
    const own = { infos, weightInfos: weights, start, spread };
    const calledWith = { engine, ...own, config: loaded.config, isCheckpointed, lora };
    const trained = called(calledWith, loaded.weights);
    const base = needsBase ? await openBase(engine, loaded, lora === null ? again : null, isCheckpointed) : null;
    // It starts as what is trained: adapters and heads from the same numbers, all weights from the same file.
    const ownWeights = hasEma && lora === null ? await loadTransformer(engine, { ...options, isTrained: true }) : null;
    const ema = hasEma ? called({ ...calledWith, isConstant: true }, ownWeights ?? loaded.weights) : null;
    return {
      forward(inputs, targets, dropout, weights = "trained") {
        if (weights === "base") return { ...present(base).forward(inputs), outputs: {} };
        return weights === "ema" ? present(ema).forward(inputs, targets) : trained.forward(inputs, targets, dropout);
      },
      velocities: (ema ?? trained).velocities,
      weight: (name, weights = "trained") => (weights === "ema" ? present(ema) : trained).weight(name),
      baseVelocities: base?.velocities ?? (lora === null ? null : unadapted(engine, loaded)),
      sampledWeight: (ema ?? trained).weight,
      config: loaded.config,
      trainable: trained.trainable,
      ema: ema?.trainable ?? null,
      embeddings: loaded.embeddings,
      scaleFactors: loaded.scaleFactors,
      warnings: [...loaded.warnings, ...trained.warnings],
      dispose: () => {
        engine.dispose(...trained.trainable.tensors(), ...(ema?.trainable.tensors() ?? []));
        base?.dispose();
        loaded.dispose();
      },
    };
  } catch (error) {
    loaded.dispose();
    throw error;
  }
}

interface Called {
  readonly engine: Engine;
  readonly infos: StrategyInfo["outputs"];
  readonly weightInfos: readonly WeightInfo[];
  readonly config: TransformerConfig;
  readonly isCheckpointed: boolean;
  /** Null where all weights are trained. */
  readonly lora: ChosenLora | null;
  readonly start: Uniform;
  readonly spread: Normal;
  /** Whether no gradient is asked of it; false if not given. */
  readonly isConstant?: boolean;
}

/** The model over `weights`, with adapters, heads and weights of the strategy's own. */
function called(
  { engine, infos, weightInfos, config, isCheckpointed, lora, start, spread, isConstant = false }: Called,
  weights: Map<string, Tensor>,
) {
  const { own, adapters, warnings } = trainedOf(engine, { config, weights }, lora, start);
  const outputs = createOutputs(engine, infos, config, start);
  const ofStrategy = createStrategyWeights(engine, weightInfos, config, spread);
  const hasTrainedText = weightInfos.length > 0 && !isConstant;
  const checkpointing = isCheckpointed ? checkpointingOf(engine, isConstant ? nothing : own, hasTrainedText) : null;
  const transformer = createTransformer(engine.ops, config, weights, adapters ?? undefined, checkpointing);
  return {
    warnings,
    trainable: joined(joined(own, outputs), ofStrategy),
    weight: (name: string) => ofStrategy.named(name),
    forward(inputs: ModelInputs, targets?: TargetTokens, dropout?: Dropout): Prediction {
      adapters?.setDropout(dropout ?? null);
      if (targets === undefined || infos.length === 0) return { ...transformer.forward(inputs), outputs: {} };
      const collected = outputs.collect(targets);
      return { ...transformer.forward(inputs, collected.tap), outputs: collected.outputs() };
    },
    velocities(inputs: ModelInputs, perturbation?: Perturbation): Velocities {
      adapters?.setDropout(null);
      return transformer.forward(inputs, undefined, perturbation);
    },
  };
}

const nothing: Trainable = { names: [], tensors: () => [], replace: () => {} };

/** The base model, for passes of the strategy: the weights that adapters lie on, or under a full training a copy of what it began with. */
async function openBase(
  engine: Engine,
  { config, weights }: LoadedModel,
  copy: (() => Promise<Map<string, Tensor>>) | null,
  isCheckpointed: boolean,
) {
  const own = copy === null ? null : await copy();
  const checkpointing = isCheckpointed ? checkpointingOf(engine, nothing, false) : null;
  const transformer = createTransformer(engine.ops, config, own ?? weights, undefined, checkpointing);
  return {
    forward: (inputs: ModelInputs) => transformer.forward(inputs),
    velocities: velocitiesOf(transformer),
    dispose: () => engine.dispose(...(own?.values() ?? [])),
  };
}

/** The model over frozen weights, without the adapters on them. */
const unadapted = (engine: Engine, { config, weights }: LoadedModel): TrainableModel["velocities"] =>
  velocitiesOf(createTransformer(engine.ops, config, weights));

const velocitiesOf =
  (transformer: ReturnType<typeof createTransformer>): TrainableModel["velocities"] =>
  (inputs, perturbation) =>
    transformer.forward(inputs, undefined, perturbation);

function present<T>(x: T | null): T {
  if (x === null) throw new Error("a pass calls a model that was not loaded");
  return x;
}

/** What is trained of the model: adapters on it, or its weights themselves. */
function trainedOf(
  engine: Engine,
  { config, weights }: Pick<LoadedModel, "config" | "weights">,
  lora: ChosenLora | null,
  start: Uniform,
) {
  if (lora === null) return { own: allWeights(weights), adapters: null, warnings: [] };
  const { targets, warnings } = matchTargets(transformerLayout(config), lora);
  const adapters = createLora(engine, targets, lora, start);
  return { own: adapters, adapters, warnings };
}

/** `hasTrainedText`: whether gradients have to reach the text, which all blocks share. */
function checkpointingOf(engine: Engine, { names, tensors }: Trainable, hasTrainedText: boolean): Checkpointing {
  // Asked for by every block in every step.
  const found = new Map<string, readonly number[]>();
  const placesOf = (prefix: string): readonly number[] => {
    const places = found.get(prefix) ?? names.flatMap((name, i) => (name.startsWith(prefix) ? [i] : []));
    found.set(prefix, places);
    return places;
  };
  return {
    run: (f, given) => engine.checkpoint(f, given),
    parametersOf: (prefix) => {
      const places = placesOf(prefix);
      const current = tensors();
      return places.flatMap((i) => current[i] ?? []);
    },
    isSharedTrained: hasTrainedText || names.some((name) => !name.startsWith("transformer_blocks.")),
  };
}

/** The weights in the very map that the transformer reads. */
function allWeights(weights: Map<string, Tensor>): Trainable {
  const names = [...weights.keys()];
  return {
    names,
    tensors: () => [...weights.values()],
    replace: (tensors) => names.forEach((name, i) => weights.set(name, tensors[i] as Tensor)),
  };
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
