/** Checkpoints of random weights in the layout of official ones. */
import { writeSafetensors, type OutputTensor } from "../files/safetensors/index.ts";
import { normal } from "../random/philox.ts";
import type { ConfigSection } from "./config-reader.ts";
import { fixedAudioVideoValues, fixedValues, readTransformerConfig } from "./config.ts";
import { readConnectorConfig } from "./connector-config.ts";
import { connectorLayout, transformerLayout, type Parameter } from "./parameters.ts";

const prefix = "model.diffusion_model.";

/**
 * Writes a checkpoint of random weights, the same each time: transformer and connectors of an audio-video model in bf16, the
 * architecture in the metadata.
 * @param transformer the section `transformer` of the metadata, without what all official checkpoints say alike
 * @param others further sections of the metadata
 * @param more names and shapes of further tensors
 * @throws Error where the architecture is refused
 */
export async function writeRandomModel(
  path: string,
  transformer: ConfigSection,
  others: ConfigSection = {},
  more: readonly Shaped[] = [],
): Promise<void> {
  const { parameters, metadata } = randomModelLayout(transformer, others);
  await writeSafetensors(path, [...parameters, ...more].map(randomTensor), metadata);
}

/** A tensor's name and shape. */
type Shaped = Pick<Parameter, "name" | "shape">;

/** Writes a file of random tensors, the same each time. */
export const writeRandomTensors = (path: string, tensors: readonly Shaped[]): Promise<void> =>
  writeSafetensors(path, tensors.map(randomTensor), {});

/** What `writeRandomModel` writes: every tensor's full name and shape, and the metadata. Errors: as there. */
export function randomModelLayout(transformer: ConfigSection, others: ConfigSection = {}) {
  const section = { ...fixedValues, ...fixedAudioVideoValues, ...transformer };
  const metadata = { config: JSON.stringify({ transformer: section, ...others }), model_version: "2.3.0" };
  return { parameters: layout(section), metadata };
}

/** Every tensor of the file, with its full name. */
function layout(section: ConfigSection): Parameter[] {
  const connector = (name: "video" | "audio") =>
    connectorLayout(accepted(readConnectorConfig(section, name)), name).map((parameter) => ({
      ...parameter,
      name: `${name}_embeddings_connector.${parameter.name}`,
    }));
  const all = [
    ...transformerLayout(accepted(readTransformerConfig(section, "audio-video"))),
    ...connector("video"),
    ...connector("audio"),
  ];
  return all.map((parameter) => ({ ...parameter, name: prefix + parameter.name }));
}

function accepted<T>({ config }: { readonly config: T | null }): T {
  if (config === null) throw new Error("the architecture of the random model is refused");
  return config;
}

/**
 * Standard deviation and mean of a tensor's random values. Linear layers keep the size of what passes through them; biases are 0, norms
 * 1. Modulation tables are around 1 so that no gate shuts a layer off, as it would in a model whose gates are still to be learned.
 */
export function distribution({ name, shape }: Shaped): readonly [deviation: number, mean: number] {
  if (name.endsWith("_norm.weight")) return [0, 1];
  if (name.endsWith(".bias")) return [0, 0];
  if (name.endsWith(".std-of-means")) return [0, 1];
  if (name.endsWith(".weight")) return [1 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b, 1)), 0];
  if (name.includes("scale_shift_table")) return [0.3, name.includes("transformer_blocks") ? 0.5 : 0];
  return [1, 0];
}

function randomTensor(parameter: Shaped): OutputTensor {
  const { name, shape } = parameter;
  const [deviation, mean] = distribution(parameter);
  const size = shape.reduce((a, b) => a * b, 1);
  const draw = async () => normal({ seed: 0, step: 0, microBatch: 0, name }, size).map((x) => mean + deviation * x);
  return { name, shape, dtype: "BF16", data: draw };
}
