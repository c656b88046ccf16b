import type { Shape } from "../contract.ts";
import type { StreamConfig, StreamName, TransformerConfig } from "./config.ts";
import type { ConnectorConfig } from "./connector-config.ts";

/** One tensor of the official checkpoint layout. */
export interface Parameter {
  /** Below the prefix of its part. */
  readonly name: string;
  readonly shape: Shape;
  /** The streams it is used for; a tensor of the cross-modal attentions is used when both run. */
  readonly stream: StreamName | "cross";
  /** The module whose weight or bias it is, where that is a linear layer. */
  readonly linear: string | null;
}

type Entry = readonly [name: string, shape: Shape, linear?: string];

function linear(name: string, inputs: number, outputs: number, bias = true): Entry[] {
  const weight: Entry = [`${name}.weight`, [outputs, inputs], name];
  return bias ? [weight, [`${name}.bias`, [outputs], name]] : [weight];
}

/** Queries of width `q`, context of width `context`, inner width `inner`. */
function attention(name: string, q: number, context: number, inner: number, gateHeads: number | null): Entry[] {
  return [
    ...linear(`${name}.to_q`, q, inner),
    ...linear(`${name}.to_k`, context, inner),
    ...linear(`${name}.to_v`, context, inner),
    [`${name}.q_norm.weight`, [inner]],
    [`${name}.k_norm.weight`, [inner]],
    ...(gateHeads === null ? [] : linear(`${name}.to_gate_logits`, q, gateHeads)),
    ...linear(`${name}.to_out.0`, inner, q),
  ];
}

function feedForward(name: string, width: number, bias: boolean): Entry[] {
  return [...linear(`${name}.net.0.proj`, width, 4 * width, bias), ...linear(`${name}.net.2`, 4 * width, width, bias)];
}

/** Channels of the timestep sinusoid. */
export const sinusoidChannels = 256;

function adaln(name: string, width: number, rows: number): Entry[] {
  return [
    ...linear(`${name}.emb.timestep_embedder.linear_1`, sinusoidChannels, width),
    ...linear(`${name}.emb.timestep_embedder.linear_2`, width, width),
    ...linear(`${name}.linear`, width, rows * width),
  ];
}

/** Modulation rows per token: six for self-attention and feed-forward, three more where text attention is modulated, too. */
export function modulationRows(config: TransformerConfig): number {
  return config.crossAttentionAdaln ? 9 : 6;
}

/** What the names of a stream's own parts begin with. */
export function streamPrefix(stream: StreamName): "" | "audio_" {
  return stream === "video" ? "" : "audio_";
}

function streamTop(config: TransformerConfig, stream: StreamName, s: StreamConfig): Entry[] {
  const p = streamPrefix(stream);
  return [
    ...linear(`${p}patchify_proj`, s.inChannels, s.width),
    ...(stream === "video" && config.keyframesEmbedding ? [[keyframesEmbedding, [1, s.width]] as Entry] : []),
    ...(config.captionChannels === null
      ? []
      : [
          ...linear(`${p}caption_projection.linear_1`, config.captionChannels, s.width),
          ...linear(`${p}caption_projection.linear_2`, s.width, s.width),
        ]),
    ...adaln(`${p}adaln_single`, s.width, modulationRows(config)),
    ...(config.crossAttentionAdaln && config.promptAdaln ? adaln(`${p}prompt_adaln_single`, s.width, 2) : []),
    [`${p}scale_shift_table`, [2, s.width]],
    ...linear(`${p}proj_out`, s.width, s.outChannels),
  ];
}

function streamBlock(config: TransformerConfig, stream: StreamName, s: StreamConfig): Entry[] {
  const p = streamPrefix(stream);
  const gateHeads = config.gatedAttention ? s.heads : null;
  return [
    ...attention(`${p}attn1`, s.width, s.width, s.width, gateHeads),
    ...attention(`${p}attn2`, s.width, s.contextWidth, s.width, gateHeads),
    ...feedForward(`${p}ff`, s.width, s.ffBias),
    [`${p}scale_shift_table`, [modulationRows(config), s.width]],
    ...(config.crossAttentionAdaln ? [[`${p}prompt_scale_shift_table`, [2, s.width]] as Entry] : []),
  ];
}

function crossTop(video: StreamConfig, audio: StreamConfig): Entry[] {
  return [
    ...adaln("av_ca_video_scale_shift_adaln_single", video.width, 4),
    ...adaln("av_ca_audio_scale_shift_adaln_single", audio.width, 4),
    ...adaln("av_ca_a2v_gate_adaln_single", video.width, 1),
    ...adaln("av_ca_v2a_gate_adaln_single", audio.width, 1),
  ];
}

/** Both directions work at the audio stream's width. */
function crossBlock(config: TransformerConfig, video: StreamConfig, audio: StreamConfig): Entry[] {
  const gateHeads = config.gatedAttention ? audio.heads : null;
  return [
    ...attention("audio_to_video_attn", video.width, audio.width, audio.width, gateHeads),
    ...attention("video_to_audio_attn", audio.width, video.width, audio.width, gateHeads),
    ["scale_shift_table_a2v_ca_video", [5, video.width]],
    ["scale_shift_table_a2v_ca_audio", [5, audio.width]],
  ];
}

/** May be missing from a file although its flag is set; it then is zero. */
export const keyframesEmbedding = "keyframes_abs_pos_embedding";

/** The name of block `i`'s part of the layout, with the dot that follows it. */
export function blockPrefix(i: number): string {
  return `transformer_blocks.${i}.`;
}

/** Every tensor of the transformer, top level first, then block by block. Names are bare: without `model.diffusion_model.`. */
export function transformerLayout(config: TransformerConfig): Parameter[] {
  const { video, audio } = config;
  const both = video !== null && audio !== null;
  const own = (stream: Parameter["stream"], prefix: string, entries: Entry[]) =>
    entries.map(([name, shape, module]) => ({
      name: prefix + name,
      shape,
      stream,
      linear: module === undefined ? null : prefix + module,
    }));
  const block = (prefix: string) => [
    ...(video === null ? [] : own("video", prefix, streamBlock(config, "video", video))),
    ...(audio === null ? [] : own("audio", prefix, streamBlock(config, "audio", audio))),
    ...(both ? own("cross", prefix, crossBlock(config, video, audio)) : []),
  ];
  return [
    ...(video === null ? [] : own("video", "", streamTop(config, "video", video))),
    ...(audio === null ? [] : own("audio", "", streamTop(config, "audio", audio))),
    ...(both ? own("cross", "", crossTop(video, audio)) : []),
    ...Array.from({ length: config.layers }, (_, i) => block(blockPrefix(i))).flat(),
  ];
}

/** Every tensor of a stream's connector, below its prefix. */
export function connectorLayout(config: ConnectorConfig, stream: StreamName): Parameter[] {
  const { width, heads, registers } = config;
  const layer = (j: number): Entry[] => [
    ...attention(`transformer_1d_blocks.${j}.attn1`, width, width, width, config.gatedAttention ? heads : null),
    ...feedForward(`transformer_1d_blocks.${j}.ff`, width, config.ffBias),
  ];
  const entries: Entry[] = [
    ...(registers === null ? [] : [["learnable_registers", [registers, width]] as Entry]),
    ...Array.from({ length: config.layers }, (_, j) => layer(j)).flat(),
  ];
  return entries.map(([name, shape, module]) => ({ name, shape, stream, linear: module ?? null }));
}
