import type { Finding } from "../findings.ts";
import { createConfigReader, type ConfigReader, type ConfigSection } from "./config-reader.ts";
import { readRopeConfig, type ConfigResult, type RopeConfig, type StreamName } from "./config.ts";

/** A connector: the small transformer that turns text features into a stream's context. */
export interface ConnectorConfig {
  readonly heads: number;
  readonly headDim: number;
  /** heads * headDim */
  readonly width: number;
  readonly layers: number;
  readonly maxPos: readonly number[];
  readonly rope: RopeConfig;
  readonly gatedAttention: boolean;
  readonly ffBias: boolean;
  /** Learned vectors that replace padding; null for connectors without, which no published checkpoint has. */
  readonly registers: number | null;
}

/** As in every published checkpoint; the config's own number of registers is not read. */
const publishedRegisters = 128;

/** A stream's connector, from the `transformer` section of a checkpoint's config. */
export function readConnectorConfig(
  section: ConfigSection,
  stream: StreamName,
  registers: number | null = publishedRegisters,
  path: Finding["path"] = [],
): ConfigResult<ConnectorConfig> {
  const reader = createConfigReader(section, path);
  const size = (name: string, fallback: number) => readSize(reader, stream, name, fallback);
  const [heads, headDim] = [size("num_attention_heads", 30), size("attention_head_dim", 128)];
  const config = {
    heads,
    headDim,
    width: heads * headDim,
    layers: size("num_layers", 2),
    maxPos: reader.numbers("connector_positional_embedding_max_pos", [1]),
    rope: readRopeConfig(reader),
    gatedAttention: reader.boolean("connector_apply_gated_attention", false),
    ffBias: reader.boolean("connector_ff_bias", true),
    registers,
  };
  return reader.findings.length > 0 ? { config: null, findings: reader.findings } : { config, findings: [] };
}

/** The audio connector has sizes of its own, which fall back to the video connector's; all else is shared. */
function readSize(reader: ConfigReader, stream: StreamName, name: string, fallback: number): number {
  const own = `audio_connector_${name}`;
  return reader.integer(stream === "audio" && reader.has(own) ? own : `connector_${name}`, fallback);
}
