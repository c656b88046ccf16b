/** The models of the comparison with PyTorch: real LTX-2.3 blocks with both streams, random weights, text of 256 tokens. */
import type { ConfigSection } from "../../runtime/model/config-reader.ts";
import { tinyConfig } from "../../runtime/testing/tiny-model.ts";
import type { TransformerConfig } from "../../runtime/model/config.ts";

export interface Size {
  readonly heads: number;
  /** Channels per head of the video stream; the audio stream has half of it. */
  readonly headDim: number;
  readonly layers: number;
  /** Latent frames of 8 x 8 cells. */
  readonly frames: number;
  readonly audioTokens: number;
  readonly weights: "F32" | "BF16";
  /** Whether blocks are computed again in the backward pass, instead of keeping what is in them. */
  readonly isCheckpointed?: boolean;
}

export const sizes: Readonly<Record<string, Size>> = {
  tiny: { heads: 2, headDim: 16, layers: 2, frames: 1, audioTokens: 8, weights: "BF16" },
  small: { heads: 8, headDim: 64, layers: 2, frames: 16, audioTokens: 64, weights: "F32" },
  medium: { heads: 16, headDim: 64, layers: 4, frames: 32, audioTokens: 64, weights: "F32" },
  /** All 48 blocks of LTX-2.3 and 6,144 tokens, for GPUs: 22 billion numbers, 41 GiB. */
  full: { heads: 32, headDim: 128, layers: 48, frames: 96, audioTokens: 64, weights: "BF16", isCheckpointed: true },
  real: { heads: 32, headDim: 128, layers: 1, frames: 16, audioTokens: 64, weights: "BF16" },
};

export const rank = 16;
export const textTokens = 256;
export const channels = 128;
export const sigma = 0.7;
export const learningRate = 1e-3;
export const targets = ["to_q", "to_k", "to_v", "to_out.0"];

function sectionOf({ heads, headDim, layers }: Size): ConfigSection {
  const [width, audioWidth] = [heads * headDim, (heads * headDim) / 2];
  return {
    num_layers: layers,
    num_attention_heads: heads,
    attention_head_dim: headDim,
    in_channels: channels,
    out_channels: channels,
    cross_attention_dim: width,
    audio_num_attention_heads: heads,
    audio_attention_head_dim: headDim / 2,
    audio_in_channels: channels,
    audio_out_channels: channels,
    audio_cross_attention_dim: audioWidth,
  };
}

export function configOf(size: Size): TransformerConfig {
  return tinyConfig(sectionOf(size));
}
