/** What is said of a network whose weights are not trained. */
import type { NetworkSyntax } from "../1-parse/syntax.ts";
import { activations } from "../2-check/checked.ts";

/** Layers as one writes them, for completion. */
export const layerExamples: readonly string[] = ["linear 64", "conv 16", "conv 16 1x3x3", "layer_norm", ...activations];

export function networkText({ architecture }: NetworkSyntax): string {
  const value = architecture?.value;
  if (value === "ltx_video_decoder")
    return "the pixels of latents, by the decoder of the video VAE; its weights stay as they are";
  if (value === "ltx_video_encoder")
    return "the latents of pixels, by the encoder of the video VAE; its weights stay as they are";
  const layers = Array.isArray(value) ? value.map(({ text }) => text).join(", ") : "?";
  return `${layers}; its weights stay as they are`;
}
