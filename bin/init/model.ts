/** The tiny model of a new project: random weights in the layout of an official checkpoint. */
import { normal } from "../../runtime/random/philox.ts";
import { readConnectorConfig } from "../../runtime/model/connector-config.ts";
import type { ConfigSection } from "../../runtime/model/config-reader.ts";
import { readTransformerConfig } from "../../runtime/model/config.ts";
import { connectorLayout, transformerLayout, type Parameter } from "../../runtime/model/layout.ts";
import { writeSafetensors, type OutputTensor } from "../../runtime/data/safetensors/index.ts";
import { modelConfig } from "./model-config.ts";

const prefix = "model.diffusion_model.";

function stream<T>({ config }: { readonly config: T | null }): T {
  if (config === null) throw new Error("the random model's own config is refused");
  return config;
}

/** Every tensor of the file, with its full name. */
function layout(section: ConfigSection): Parameter[] {
  const connector = (name: "video" | "audio") =>
    connectorLayout(stream(readConnectorConfig(section, name)), name).map((parameter) => ({
      ...parameter,
      name: `${name}_embeddings_connector.${parameter.name}`,
    }));
  const all = [
    ...transformerLayout(stream(readTransformerConfig(section, "audio-video"))),
    ...connector("video"),
    ...connector("audio"),
  ];
  return all.map((parameter) => ({ ...parameter, name: prefix + parameter.name }));
}

/**
 * Standard deviation and mean of a tensor's random values. Linear layers keep the size of what passes through them; biases are 0, norms
 * 1. Modulation tables are around 1 so that no gate shuts a layer off, as it would in a model whose gates are still to be learned.
 */
function distribution({ name, shape }: Parameter): readonly [deviation: number, mean: number] {
  if (name.endsWith("_norm.weight")) return [0, 1];
  if (name.endsWith(".bias")) return [0, 0];
  if (name.endsWith(".weight")) return [1 / Math.sqrt(shape[1] ?? 1), 0];
  if (name.includes("scale_shift_table")) return [0.3, name.includes("transformer_blocks") ? 0.5 : 0];
  return [1, 0];
}

function randomTensor(parameter: Parameter): OutputTensor {
  const { name, shape } = parameter;
  const [deviation, mean] = distribution(parameter);
  const size = shape.reduce((a, b) => a * b, 1);
  const draw = async () => normal({ seed: 0, step: 0, microBatch: 0, name }, size).map((x) => mean + deviation * x);
  return { name, shape, dtype: "BF16", data: draw };
}

/**
 * Writes a checkpoint of random weights: transformer and connectors in bf16, the architecture in the metadata.
 * @param transformer keys of the architecture in place of the tiny model's
 */
export async function writeModel(path: string, transformer: ConfigSection = {}): Promise<void> {
  const config = { ...modelConfig, transformer: { ...modelConfig.transformer, ...transformer } };
  const metadata = { config: JSON.stringify(config), model_version: "2.3.0" };
  await writeSafetensors(path, layout(config.transformer).map(randomTensor), metadata);
}
