import type { Tensor } from "../contract.ts";
import { modulationRow, spread } from "./adaln.ts";
import { attention, feedForward } from "./attention.ts";
import type { StreamName, TransformerConfig } from "./config.ts";
import { streamPrefix } from "./parameters.ts";
import type { Module } from "./module.ts";
import type { CrossStream, Stream } from "./stream.ts";

/** The tokens `[B, T, D]` of both streams; what a block changes. */
export interface BlockState {
  readonly video: Tensor | null;
  readonly audio: Tensor | null;
}

/** Streams that are given and not empty. */
export interface Streams {
  readonly video: Stream | null;
  readonly audio: Stream | null;
}

/** What a block leaves out, for guidance: self-attention by stream, and the attention of the streams to each other. */
export type BlockSkips = Readonly<Record<StreamName | "crossModal", boolean>>;

const noSkips: BlockSkips = { video: false, audio: false, crossModal: false };

/** One transformer block: `module` is the block, `streams` what all blocks share. */
export function block(
  config: TransformerConfig,
  module: Module,
  streams: Streams,
  state: BlockState,
  skips: BlockSkips = noSkips,
): BlockState {
  return module.within(() => changed(config, module, streams, state, skips));
}

function changed(
  config: TransformerConfig,
  module: Module,
  streams: Streams,
  state: BlockState,
  skips: BlockSkips,
): BlockState {
  const attend = (stream: Stream, x: Tensor) => attendToSelfAndText(config, module, stream, x, skips[stream.name]);
  const attended = {
    video: whenEnabled(streams.video, state.video, attend),
    audio: whenEnabled(streams.audio, state.audio, attend),
  };
  const crossed = skips.crossModal ? attended : crossModal(config, module, streams, attended);
  return {
    video: whenEnabled(streams.video, crossed.video, (stream, x) => feedForwardPart(config, module, stream, x)),
    audio: whenEnabled(streams.audio, crossed.audio, (stream, x) => feedForwardPart(config, module, stream, x)),
  };
}

function whenEnabled(stream: Stream | null, x: Tensor | null, f: (stream: Stream, x: Tensor) => Tensor): Tensor | null {
  return stream === null || x === null || !stream.enabled ? x : f(stream, x);
}

/** The i-th modulation of the stream's block table: shift, scale, gate of self-attention, then of the feed-forward, then of text. */
function rowOf(module: Module, stream: Stream): (i: number) => Tensor {
  const table = module.parameter(`${streamPrefix(stream.name)}scale_shift_table`);
  return (i) => spread(module.ops, stream.isClean, modulationRow(module.ops, table, i, stream.rows[i]));
}

function attendToSelfAndText(
  config: TransformerConfig,
  module: Module,
  stream: Stream,
  x: Tensor,
  valuesOnly: boolean,
): Tensor {
  const { ops } = module;
  const eps = config.normEps;
  const part = module.at(`${streamPrefix(stream.name)}attn1.`);
  const row = rowOf(module, stream);
  const normed = ops.modulate(ops.rmsNorm(x, eps), row(1), row(0));
  const { rope, selfBias: bias } = stream;
  const self = attention(part, stream.config.heads, eps, { x: normed, context: normed, bias, rope, valuesOnly });
  const updated = ops.add(x, ops.mul(self, row(2)));
  return ops.add(updated, textUpdate(config, module, stream, ops.rmsNorm(updated, eps)));
}

/** `z` is the normalised state. The context is modulated, but never normalised. */
function textUpdate(config: TransformerConfig, module: Module, stream: Stream, z: Tensor): Tensor {
  const { ops } = module;
  const prefix = streamPrefix(stream.name);
  const { context, contextBias: bias } = stream;
  const attend = (x: Tensor, context: Tensor) =>
    attention(module.at(`${prefix}attn2.`), stream.config.heads, config.normEps, { x, context, bias });
  if (!config.crossAttentionAdaln) return attend(z, context);
  const row = rowOf(module, stream);
  const table = module.parameter(`${prefix}prompt_scale_shift_table`);
  const promptRow = (i: number) => modulationRow(ops, table, i, stream.promptRows[i]);
  const modulated = ops.modulate(context, promptRow(1), promptRow(0));
  return ops.mul(attend(ops.modulate(z, row(7), row(6)), modulated), row(8));
}

function feedForwardPart(config: TransformerConfig, module: Module, stream: Stream, x: Tensor): Tensor {
  const { ops } = module;
  const row = rowOf(module, stream);
  const normed = ops.modulate(ops.rmsNorm(x, config.normEps), row(4), row(3));
  return ops.add(x, ops.mul(feedForward(module.at(`${streamPrefix(stream.name)}ff.`), normed), row(5)));
}

/** Both directions read the states from before either was changed; a disabled stream is read but not written. */
function crossModal(config: TransformerConfig, module: Module, streams: Streams, state: BlockState): BlockState {
  const { video, audio } = streams;
  if (!video?.cross || !audio?.cross || state.video === null || state.audio === null) return state;
  if (!video.enabled && !audio.enabled) return state;
  const { ops } = module;
  const v = crossSide(config, module, video, video.cross, state.video);
  const a = crossSide(config, module, audio, audio.cross, state.audio);
  const heads = audio.config.heads;
  const update = (name: string, to: CrossSide, from: CrossSide, direction: 0 | 1) => {
    const [x, context] = [to.modulated(direction), from.modulated(direction)];
    const attended = attention(module.at(name), heads, config.normEps, {
      x,
      context,
      rope: to.rope,
      keyRope: from.rope,
    });
    return ops.mul(attended, to.gate());
  };
  return {
    video: video.enabled ? ops.add(state.video, update("audio_to_video_attn.", v, a, 0)) : state.video,
    audio: audio.enabled ? ops.add(state.audio, update("video_to_audio_attn.", a, v, 1)) : state.audio,
  };
}

interface CrossSide {
  readonly rope: CrossStream["rope"];
  /** The normalised state under the scale and shift of audio-to-video (0) or video-to-audio (1). */
  modulated(direction: 0 | 1): Tensor;
  gate(): Tensor;
}

function crossSide(
  config: TransformerConfig,
  module: Module,
  { name, isClean }: Stream,
  { rope, rows, gate }: CrossStream,
  x: Tensor,
): CrossSide {
  const { ops } = module;
  const normed = ops.rmsNorm(x, config.normEps);
  const table = module.parameter(`scale_shift_table_a2v_ca_${name}`);
  // Unlike in the other tables, scale comes before shift.
  const row = (i: number) => spread(ops, isClean, modulationRow(ops, table, i, rows[i]));
  return {
    rope,
    modulated: (direction) => ops.modulate(normed, row(2 * direction), row(2 * direction + 1)),
    gate: () => modulationRow(ops, table, 4, gate),
  };
}
