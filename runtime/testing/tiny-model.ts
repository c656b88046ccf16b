/** A model small enough for tests: configs in the keys of official checkpoints, and weights that are functions of their names. */
import type { HostTensor, ModalityInputs, Tensor } from "../contract.ts";
import { writeSafetensors, type OutputTensor } from "../files/safetensors/index.ts";
import type { Engine } from "../engine/engine.ts";
import type { ConfigSection } from "../model/config-reader.ts";
import {
  fixedAudioVideoValues,
  fixedValues,
  readTransformerConfig,
  type ModelType,
  type StreamName,
  type TransformerConfig,
} from "../model/config.ts";
import { readConnectorConfig } from "../model/connector-config.ts";
import { connectorLayout, transformerLayout, type Parameter } from "../model/parameters.ts";
import { createPositions } from "../model/positions.ts";

/** The `transformer` section of a tiny LTX-2.3; `changes` replace its keys, and undefined removes one. */
export function tinySection(changes: ConfigSection = {}): ConfigSection {
  const section = { ...fixedValues, ...fixedAudioVideoValues, ...sizes, ...flags, ...changes };
  return Object.fromEntries(Object.entries(section).filter(([, value]) => value !== undefined));
}

const sizes = {
  num_layers: 1,
  num_attention_heads: 2,
  attention_head_dim: 6,
  in_channels: 3,
  out_channels: 3,
  cross_attention_dim: 12,
  audio_num_attention_heads: 2,
  audio_attention_head_dim: 4,
  audio_in_channels: 2,
  audio_out_channels: 2,
  audio_cross_attention_dim: 8,
  connector_num_attention_heads: 2,
  connector_attention_head_dim: 6,
  connector_num_layers: 1,
  audio_connector_attention_head_dim: 4,
  connector_positional_embedding_max_pos: [4096],
};

const flags = {
  caption_proj_before_connector: true,
  apply_gated_attention: true,
  cross_attention_adaln: true,
  av_ca_timestep_scale_multiplier: 1000,
  frequencies_precision: "float64",
};

export function tinyConfig(changes: ConfigSection = {}, type: ModelType = "audio-video"): TransformerConfig {
  const { config, findings } = readTransformerConfig(tinySection(changes), type);
  if (config === null) throw new Error(findings.map(({ message }) => message).join("; "));
  return config;
}

/** Numbers between -1 and 1 that depend on the name alone. */
export function numbers(name: string, count: number): Float32Array {
  const seed = Array.from(name).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7);
  return Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 0.6180339 * seed * (1 + (i % 7))));
}

export function host(name: string, shape: readonly number[]): HostTensor {
  return {
    shape,
    dtype: "float32",
    data: numbers(
      name,
      shape.reduce((a, b) => a * b, 1),
    ),
  };
}

/** Weights of a transformer on an engine; the caller frees them. */
export function tinyWeights(engine: Engine, config: TransformerConfig): Map<string, Tensor> {
  return new Map(transformerLayout(config).map(({ name, shape }) => [name, engine.keep(host(name, shape))]));
}

/** Model inputs of one modality with batch 2; `changes` replace fields. Made by `engine.ops`, so within `tidy`. */
export function tinyInputs(
  engine: Engine,
  config: TransformerConfig,
  stream: StreamName,
  changes: Partial<ModalityInputs> = {},
): ModalityInputs {
  const { ops } = engine;
  const { inChannels = 0, width = 0 } = config[stream] ?? {};
  const positions = createPositions({ time: 8, height: 32, width: 32 });
  const place =
    stream === "video" ? positions.video({ frames: 2, height: 1, width: 2 }, [24, 25]) : positions.audio(3, 2);
  const tokens = place.shape[2] ?? 0;
  const level = (shape: readonly number[]) => ops.add(ops.mul(ops.constant(host(`${stream}.sigma`, shape)), 0.4), 0.5);
  return {
    latent: ops.constant(host(`${stream}.latent`, [2, tokens, inChannels])),
    sigma: level([2]),
    timesteps: level([2, tokens]),
    positions: place,
    context: ops.constant(host(`${stream}.context`, [2, 3, width])),
    contextMask: null,
    attentionMask: null,
    keyframesMask: null,
    enabled: true,
    ...changes,
  };
}

export interface TinyFile {
  readonly section?: ConfigSection;
  /** Sections beside `transformer`. */
  readonly sections?: ConfigSection;
  readonly prefix?: string;
  /** Changes the list of tensors before it is written. */
  readonly edit?: (tensors: readonly OutputTensor[]) => readonly OutputTensor[];
}

/** Writes a checkpoint with transformer and both connectors in the official layout. */
export async function writeTinyFile(path: string, file: TinyFile = {}): Promise<void> {
  const { section = tinySection(), sections = { vae: {} }, prefix = "model.diffusion_model.", edit = (x) => x } = file;
  const { config } = readTransformerConfig(section, "audio-video");
  const parts = [
    transformerLayout(config ?? tinyConfig()),
    connectorPart(section, "video"),
    connectorPart(section, "audio"),
  ];
  const tensors = parts.flat().map(({ name, shape }) => ({
    name: prefix + name,
    shape,
    dtype: "F32" as const,
    data: host(name, shape).data as Float32Array,
  }));
  await writeSafetensors(path, edit(tensors), { config: JSON.stringify({ transformer: section, ...sections }) });
}

function connectorPart(section: ConfigSection, stream: StreamName): Parameter[] {
  const { config } = readConnectorConfig(section, stream);
  if (config === null) return [];
  return connectorLayout(config, stream).map((x) => ({ ...x, name: `${stream}_embeddings_connector.${x.name}` }));
}
