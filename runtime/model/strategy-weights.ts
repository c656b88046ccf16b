import type { Tensor, WeightInfo } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { isHead } from "./outputs.ts";
import type { StreamName, TransformerConfig } from "./config.ts";

/** Draws so many standard normal numbers for a tensor, by its name alone. */
export type Normal = (name: string, count: number) => Float32Array;

/** Trained tensors of the strategy's own, which its step reads by name. */
interface StrategyWeights {
  /** `weights.<name>.<modality>` of each. */
  readonly names: readonly string[];
  tensors(): readonly Tensor[];
  /** Takes over new values in the same order; the old ones stay the caller's to free. */
  replace(tensors: readonly Tensor[]): void;
  /** `concept.video`: `[tokens, width of the text]`. */
  named(name: string): Tensor;
}

const prefix = "weights.";

/** Whether a trained tensor is the strategy's own, and not the model's or an adapter's: a head's or a weight, by its name. */
export const isOfStrategy = (name: string): boolean => isHead(name) || name.startsWith(prefix);

const nameOf = (name: string, modality: string): string => `${prefix}${name}.${modality}`;

/** The names of the weights' tensors, in their order. */
export const weightNames = (infos: readonly WeightInfo[]): readonly string[] =>
  infos.flatMap(({ name, modalities }) => modalities.map((modality) => nameOf(name, modality)));

/** The weights as they begin. The caller frees `tensors()` at the end. */
export function createStrategyWeights(
  engine: Engine,
  infos: readonly WeightInfo[],
  config: TransformerConfig,
  normal: Normal,
): StrategyWeights {
  const parameters = infos.flatMap(({ name, modalities, tokens, std, mean }) =>
    modalities.map((modality) => ({
      name: nameOf(name, modality),
      shape: [tokens, textWidth(config, modality)] as const,
      start: (x: number) => mean + std * x,
    })),
  );
  let current: readonly Tensor[] = parameters.map(({ name, shape, start }) => {
    const [tokens, width] = shape;
    return engine.keep({ shape, dtype: "float32", data: normal(name, tokens * width).map(start) });
  });
  return {
    names: weightNames(infos),
    tensors: () => current,
    replace: (tensors) => {
      current = tensors;
    },
    named(name) {
      const tensor = current[parameters.findIndex((parameter) => parameter.name === prefix + name)];
      if (tensor === undefined) throw new Error(`the strategy has no weight ${name}`);
      return tensor;
    },
  };
}

/** Of a caption's tokens as the connectors make them: what goes into the caption projection where the transformer has one. */
function textWidth(config: TransformerConfig, modality: StreamName): number {
  const stream = config[modality];
  if (stream === null) throw new Error(`the model has no ${modality} stream`);
  return config.captionChannels ?? stream.contextWidth;
}
