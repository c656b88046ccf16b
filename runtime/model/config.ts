import type { Finding } from "../findings.ts";
import { createConfigReader, type ConfigReader, type ConfigSection } from "./config-reader.ts";
import type { RopeType } from "./rope.ts";

export type ModelType = "audio-video" | "video-only" | "audio-only";
export type StreamName = "video" | "audio";

/** One of the two streams of the transformer. */
export interface StreamConfig {
  readonly heads: number;
  readonly headDim: number;
  /** heads * headDim */
  readonly width: number;
  /** Latent channels per token, in and out. */
  readonly inChannels: number;
  readonly outChannels: number;
  /** Width of the text context. */
  readonly contextWidth: number;
  /** Rotary normaliser per position axis: seconds, and for video pixel rows and columns. */
  readonly maxPos: readonly number[];
  readonly ffBias: boolean;
}

export interface RopeConfig {
  readonly type: RopeType;
  /** Whether the frequency grid is computed in float64. */
  readonly double: boolean;
}

export interface TransformerConfig {
  readonly type: ModelType;
  readonly layers: number;
  readonly normEps: number;
  readonly theta: number;
  /** Timesteps are multiplied by it before their sinusoid. */
  readonly timestepScale: number;
  readonly video: StreamConfig | null;
  readonly audio: StreamConfig | null;
  /** Present with both streams: the scale of the sigma that gates cross-modal attention, and the width of its rotary tables. */
  readonly cross: { readonly timestepScale: number; readonly ropeWidth: number } | null;
  readonly rope: RopeConfig;
  readonly gatedAttention: boolean;
  /** Whether text cross-attention is modulated: 9 modulation rows instead of 6. */
  readonly crossAttentionAdaln: boolean;
  /** Whether the text modulation depends on sigma besides its table. */
  readonly promptAdaln: boolean;
  readonly keyframesEmbedding: boolean;
  /** Channels of the context before the transformer's own caption projections; null where it has none. */
  readonly captionChannels: number | null;
}

/** Either what was asked for or everything that is wrong with it. */
export type ConfigResult<T> =
  | { readonly config: T; readonly findings: readonly [] }
  | { readonly config: null; readonly findings: readonly Finding[] };

/** What every LTX-2 checkpoint says of its transformer and this implementation takes for granted. */
export const fixedValues = {
  dropout: 0,
  attention_bias: true,
  num_vector_embeds: null,
  activation_fn: "gelu-approximate",
  num_embeds_ada_norm: 1000,
  use_linear_projection: false,
  only_cross_attention: false,
  cross_attention_norm: true,
  double_self_attention: false,
  upcast_attention: false,
  standardization_norm: "rms_norm",
  norm_elementwise_affine: false,
  qk_norm: "rms_norm",
  positional_embedding_type: "rope",
  use_middle_indices_grid: true,
} as const;

/** The same of checkpoints with video and audio. */
export const fixedAudioVideoValues = {
  use_audio_video_cross_attention: true,
  share_ff: false,
  av_cross_ada_norm: true,
} as const;

/**
 * The transformer's architecture from the `transformer` section of a checkpoint's config, or all reasons for refusal.
 * `path` is the place in the run config that named the checkpoint.
 */
export function readTransformerConfig(
  section: ConfigSection,
  type: ModelType,
  path: Finding["path"] = [],
): ConfigResult<TransformerConfig> {
  const reader = createConfigReader(section, path);
  const captionChannels = readCaptionChannels(reader, type);
  Object.entries(fixedValues).forEach(([key, expected]) => reader.fixed(key, expected));
  if (type === "audio-video") checkBothStreams(reader, section);
  const config = readArchitecture(reader, type, captionChannels);
  return reader.findings.length > 0 ? { config: null, findings: reader.findings } : { config, findings: [] };
}

function checkBothStreams(reader: ConfigReader, section: ConfigSection): void {
  Object.entries(fixedAudioVideoValues).forEach(([key, expected]) => reader.fixed(key, expected));
  // The head counts must be equal and both be written down: no default stands in for a missing one.
  if (!reader.has("audio_num_attention_heads"))
    reader.fixed("audio_num_attention_heads", section["num_attention_heads"] ?? 32);
  else reader.fixed("num_attention_heads", section["audio_num_attention_heads"]);
}

/** Where the transformer has caption projections, the keys that give their widths have no defaults. */
function readCaptionChannels(reader: ConfigReader, type: ModelType): number | null {
  if (reader.boolean("caption_proj_before_connector", false)) return null;
  reader.integer("num_attention_heads");
  reader.integer("attention_head_dim");
  if (type !== "video-only") {
    reader.integer("audio_num_attention_heads");
    reader.integer("audio_attention_head_dim");
  }
  return reader.integer("caption_channels");
}

function readArchitecture(reader: ConfigReader, type: ModelType, captionChannels: number | null): TransformerConfig {
  const [hasVideo, hasAudio] = [type !== "audio-only", type !== "video-only"];
  const rope = readRopeConfig(reader);
  return {
    type,
    rope,
    captionChannels,
    layers: reader.integer("num_layers", 48),
    normEps: reader.number("norm_eps", 1e-6),
    // The audio-only model keeps the defaults of three keys, whatever the config says.
    theta: hasVideo ? reader.number("positional_embedding_theta", 10000) : 10000,
    timestepScale: reader.number("timestep_scale_multiplier", 1000),
    video: hasVideo ? readVideo(reader) : null,
    audio: hasAudio ? readAudio(reader, hasVideo) : null,
    cross:
      hasVideo && hasAudio
        ? {
            timestepScale: reader.number("av_ca_timestep_scale_multiplier", 1),
            ropeWidth: reader.integer("audio_cross_attention_dim", 2048),
          }
        : null,
    gatedAttention: reader.boolean("apply_gated_attention", false),
    crossAttentionAdaln: reader.boolean("cross_attention_adaln", false),
    promptAdaln: hasVideo ? reader.boolean("use_prompt_adaln_single", true) : true,
    keyframesEmbedding: hasVideo && reader.boolean("use_keyframes_abs_pos_embedding", false),
  };
}

function readVideo(reader: ConfigReader): StreamConfig {
  const heads = reader.integer("num_attention_heads", 32);
  const headDim = reader.integer("attention_head_dim", 128);
  return {
    heads,
    headDim,
    width: heads * headDim,
    inChannels: reader.integer("in_channels", 128),
    outChannels: reader.integer("out_channels", 128),
    contextWidth: reader.integer("cross_attention_dim", 4096),
    maxPos: reader.numbers("positional_embedding_max_pos", [20, 2048, 2048]),
    ffBias: reader.boolean("ff_bias", true),
  };
}

function readAudio(reader: ConfigReader, hasVideo: boolean): StreamConfig {
  const heads = reader.integer("audio_num_attention_heads", 32);
  const headDim = reader.integer("audio_attention_head_dim", 64);
  return {
    heads,
    headDim,
    width: heads * headDim,
    inChannels: reader.integer("audio_in_channels", 128),
    outChannels: reader.integer("audio_out_channels", 128),
    contextWidth: reader.integer("audio_cross_attention_dim", 2048),
    maxPos: reader.numbers("audio_positional_embedding_max_pos", [20]),
    ffBias: hasVideo ? reader.boolean("audio_ff_bias", true) : true,
  };
}

/** The rotary settings that transformer and connectors share. Only the exact word "float64" means a float64 grid. */
export function readRopeConfig(reader: ConfigReader): RopeConfig {
  const type = reader.choice("rope_type", ["split", "interleaved"] as const, "split");
  return { type, double: reader.equals("frequencies_precision", "float64") };
}

/** What the published layout leaves open but the forward pass can not: the text context must be as wide as its stream. */
export function checkContextWidths(config: TransformerConfig, path: Finding["path"]): Finding[] {
  const streams = [
    ["cross_attention_dim", config.video],
    ["audio_cross_attention_dim", config.audio],
  ] as const;
  return streams.flatMap(([key, stream]) => {
    if (stream === null || stream.contextWidth === stream.width) return [];
    const message = `the checkpoint's config has ${key} = ${stream.contextWidth}, but its stream is ${stream.width} wide`;
    const help = "name an LTX-2 checkpoint as it was published; there both are equal";
    return [{ code: "LTX6203", severity: "error", path, message, help }];
  });
}
