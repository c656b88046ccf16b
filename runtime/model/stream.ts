import type { ModalityInputs, Tensor } from "../contract.ts";
import { adaln, timestepLevels, type TimestepLevels } from "./adaln.ts";
import type { StreamConfig, StreamName, TransformerConfig } from "./config.ts";
import { keyframesEmbedding, modulationRows, streamPrefix } from "./parameters.ts";
import { attentionBias, contextBias } from "./masks.ts";
import type { Module } from "./module.ts";
import type { RopeCache } from "./rope-cache.ts";
import type { RopeTables } from "./rope.ts";

/** What the blocks need of one modality; all of it stays the same from block to block. D is the stream's width. */
export interface Stream {
  readonly name: StreamName;
  readonly config: StreamConfig;
  /** A disabled stream is not changed by any block, but still feeds the other one. */
  readonly enabled: boolean;
  /** Projected tokens `[B, T, D]`, the state before the first block. */
  readonly tokens: Tensor;
  /** 6 or 9 rows and the embedded timestep of the output head, `[B, N, D]` for N timesteps of a sample. */
  readonly rows: readonly Tensor[];
  readonly embedded: Tensor;
  /** Which of two levels a token has, see `timestepLevels`. */
  readonly isClean: TimestepLevels["isClean"];
  /** Shift and scale `[B, 1, D]` of the text context; none where the tables stand alone. */
  readonly promptRows: readonly Tensor[];
  /** `[B, S, D]` */
  readonly context: Tensor;
  /** Additive biases of text attention and of self-attention. */
  readonly contextBias: Tensor | null;
  readonly selfBias: Tensor | null;
  readonly rope: RopeTables<Tensor>;
  /** Present where the other modality is given, too. */
  readonly cross: CrossStream | null;
}

/** One stream's side of the cross-modal attentions. */
export interface CrossStream {
  readonly rope: RopeTables<Tensor>;
  /** Four rows `[B, N, D]`: scale and shift of audio-to-video, scale and shift of video-to-audio. */
  readonly rows: readonly Tensor[];
  /** `[B, 1, D]`, of the attention that this stream receives. */
  readonly gate: Tensor | undefined;
}

interface Preparation {
  readonly config: TransformerConfig;
  readonly module: Module;
  readonly ropes: RopeCache;
}

/** Everything that comes before the blocks, for one modality; `other` is the other one where it is given and not empty. */
export function prepareStream(
  model: Preparation,
  name: StreamName,
  inputs: ModalityInputs,
  other: ModalityInputs | null,
): Stream {
  const { config, module, ropes } = model;
  const { ops } = module;
  const stream = config[name];
  if (stream === null) throw new Error(`the model has no ${name} stream`);
  const own = module.at(streamPrefix(name));
  const scaled = (t: Tensor) => ops.mul(t, config.timestepScale);
  const { values, isClean } = timestepLevels(ops, inputs);
  const timesteps = scaled(values);
  const { rows, embedded } = adaln(own.at("adaln_single."), timesteps, modulationRows(config));
  const hasPrompt = config.crossAttentionAdaln && config.promptAdaln;
  const context = projectContext(own, inputs.context, stream.width);
  const [batch = 0, textTokens = 0] = context.shape;
  return {
    name,
    config: stream,
    enabled: inputs.enabled,
    tokens: projectTokens(own, inputs),
    rows,
    embedded,
    isClean,
    promptRows: hasPrompt ? adaln(own.at("prompt_adaln_single."), scaled(inputs.sigma), 2).rows : [],
    context,
    contextBias: inputs.contextMask === null ? null : contextBias(ops, inputs.contextMask, batch, textTokens),
    selfBias: inputs.attentionMask === null ? null : attentionBias(ops, inputs.attentionMask),
    rope: ropes.self(ops, name, inputs.positions),
    cross: other === null ? null : prepareCross(model, name, inputs, timesteps, other),
  };
}

function projectTokens(own: Module, { latent, keyframesMask }: ModalityInputs): Tensor {
  const { ops } = own;
  const tokens = own.linear("patchify_proj", latent);
  if (keyframesMask === null || !own.has(keyframesEmbedding)) return tokens;
  const marked = ops.float(ops.greater(keyframesMask, 0));
  return ops.add(tokens, ops.mul(marked, own.parameter(keyframesEmbedding)));
}

/** The context at the stream's width, through the caption projection where the transformer has one. */
function projectContext(own: Module, context: Tensor, width: number): Tensor {
  const { ops } = own;
  const [batch = 0] = context.shape;
  const caption = own.at("caption_projection.");
  if (!caption.has("linear_1.weight")) return ops.reshape(context, [batch, -1, width]);
  return caption.linear("linear_2", ops.gelu(caption.linear("linear_1", context)));
}

/** Scale and shift go by the stream's own timesteps (scaled), the gate by the other stream's sigma and a scale of its own. */
function prepareCross(
  { config, module, ropes }: Preparation,
  name: StreamName,
  inputs: ModalityInputs,
  timesteps: Tensor,
  other: ModalityInputs,
): CrossStream {
  const { ops } = module;
  const { timestepScale } = config;
  const gateName = name === "video" ? "av_ca_a2v_gate_adaln_single." : "av_ca_v2a_gate_adaln_single.";
  const gateScale = (config.cross?.timestepScale ?? timestepScale) / timestepScale;
  const sigma = ops.mul(ops.mul(other.sigma, timestepScale), gateScale);
  return {
    rope: ropes.cross(ops, name, inputs.positions),
    rows: adaln(module.at(`av_ca_${name}_scale_shift_adaln_single.`), timesteps, 4).rows,
    gate: adaln(module.at(gateName), sigma, 1).rows[0],
  };
}
