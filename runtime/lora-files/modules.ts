import type { StreamConfig, TransformerConfig } from "../model/config.ts";
import { blockPrefix, transformerLayout } from "../model/parameters.ts";

/** A model of one block that has every layer that any LTX-2 has; the sizes do not matter for its names. */
const stream: StreamConfig = {
  heads: 1,
  headDim: 1,
  width: 1,
  inChannels: 1,
  outChannels: 1,
  contextWidth: 1,
  maxPos: [],
  ffBias: true,
};
const everything: TransformerConfig = {
  type: "audio-video",
  layers: 1,
  normEps: 1,
  theta: 1,
  timestepScale: 1,
  video: stream,
  audio: stream,
  cross: { timestepScale: 1, ropeWidth: 1 },
  rope: { type: "split", double: false },
  gatedAttention: true,
  crossAttentionAdaln: true,
  promptAdaln: true,
  keyframesEmbedding: true,
  captionChannels: 1,
};

/**
 * The first part of a module's name in diffusers' `LTX2VideoTransformer3DModel`, by the official one. All else, the blocks included, is
 * named alike. Source: the table of names in diffusers' conversion of LTX-2 checkpoints.
 */
const diffusersNames: Readonly<Record<string, string>> = {
  patchify_proj: "proj_in",
  audio_patchify_proj: "audio_proj_in",
  adaln_single: "time_embed",
  audio_adaln_single: "audio_time_embed",
  prompt_adaln_single: "prompt_adaln",
  audio_prompt_adaln_single: "audio_prompt_adaln",
  av_ca_video_scale_shift_adaln_single: "av_cross_attn_video_scale_shift",
  av_ca_audio_scale_shift_adaln_single: "av_cross_attn_audio_scale_shift",
  av_ca_a2v_gate_adaln_single: "av_cross_attn_video_a2v_gate",
  av_ca_v2a_gate_adaln_single: "av_cross_attn_audio_v2a_gate",
};

const linears = [...new Set(transformerLayout(everything).flatMap(({ linear }) => linear ?? []))];
const firstBlock = blockPrefix(0);
const inBlock = linears.flatMap((name) => (name.startsWith(firstBlock) ? [name.slice(firstBlock.length)] : []));
const outside = linears.filter((name) => !name.startsWith(firstBlock));

/** A linear layer's name in diffusers, from the official one. */
export function diffusersModule(official: string): string {
  const [first = "", ...rest] = official.split(".");
  return [diffusersNames[first] ?? first, ...rest].join(".");
}

const underscored = (name: string): string => name.replaceAll(".", "_");

const ofBlock: ReadonlyMap<string, string> = new Map(inBlock.flatMap((name) => namesOf(name, [name])));
const ofTop: ReadonlyMap<string, string> = new Map(
  outside.flatMap((name) => namesOf(name, [name, diffusersModule(name)])),
);

/** Every way to write a name leads to the official one. */
function namesOf(official: string, ways: readonly string[]): (readonly [string, string])[] {
  return ways.flatMap((way) => [[way, official] as const, [underscored(way), official] as const]);
}

/**
 * The official name of a linear layer of LTX-2's transformer from that name, diffusers' name, or either with underscores in place of
 * its dots, as kohya's scripts write them; null for a name that no LTX-2 has. Underscores are never guessed back into dots: the name is
 * looked up among those that exist.
 * @param own further names, of the model at hand
 */
export function moduleNamed(name: string, own: ReadonlySet<string> = new Set()): string | null {
  if (own.has(name)) return name;
  const block = /^transformer_blocks([._])(0|[1-9]\d{0,5})\1(.+)$/.exec(name);
  if (block !== null) {
    const found = ofBlock.get(block[3] ?? "");
    return found === undefined ? null : `${blockPrefix(Number(block[2]))}${found}`;
  }
  return ofTop.get(name) ?? [...own].find((module) => underscored(module) === name) ?? null;
}
