/** The stages of both halves of a video VAE, from their configs: names and shapes of all parameters, and what they compute. */
import type { Tensor } from "../../contract.ts";
import { stridesOf, type VaeBlock } from "./blocks.ts";
import type { DecoderConfig, EncoderConfig } from "./config.ts";
import { convolution, convolve, lookaheadOf, pixelNorm, type Edges, type Stage } from "./layers.ts";
import { embedTimestep, residualStage, rowsOf, scaled, timeEmbedder, wideningStage } from "./residual.ts";
import { attentionStage, downsamplingStage, stridedStage, upsamplingStage } from "./resampling.ts";
import { patchify, unpatchify } from "./space-to-depth.ts";

/** Widths that do not divide as a block demands. */
type Refuse = (what: string) => never;

/** `[B, 3, F, H, W]` in -1..1 to the latent and `extraChannels` more, before its statistics. */
export function encoderStages(config: EncoderConfig, refuse: Refuse): Stage[] {
  const { inChannels, latentChannels, patchSize, padding, extraChannels } = config;
  const edges: Edges = { isCausal: true, padding };
  const first: Stage = {
    name: "conv_in",
    parameters: convolution("conv_in.conv", inChannels * patchSize ** 2, latentChannels),
    run: (given, x) => convolve(given, "conv_in.conv", edges, patchify(given.ops, x, patchSize)),
  };
  const stages = [first];
  let width = latentChannels;
  for (const [i, block] of config.blocks.entries()) {
    const widths = [width, width * encoderFactor(block)] as const;
    stages.push(encoderStage(`down_blocks.${i}`, block, widths, edges, refuse));
    width = widths[1];
  }
  const last: Stage = {
    name: "conv_out",
    parameters: convolution("conv_out.conv", width, latentChannels + extraChannels),
    run: (given, x) => convolve(given, "conv_out.conv", edges, given.ops.silu(pixelNorm(given.ops, x))),
  };
  return [...stages, last];
}

function encoderFactor({ name, multiplier }: VaeBlock): number {
  return name.endsWith("_res") || name.endsWith("_x_y") ? (multiplier ?? 2) : 1;
}

function encoderStage(
  name: string,
  block: VaeBlock,
  widths: readonly [number, number],
  edges: Edges,
  refuse: Refuse,
): Stage {
  const settings = { edges, layers: block.layers, isConditioned: false, injectsNoise: false };
  const strides = stridesOf(block.name);
  if (block.name === "attn") return attentionStage(name, widths[0]);
  if (block.name === "res_x") return residualStage(name, widths[0], settings);
  if (block.name === "res_x_y") return wideningStage(name, widths, settings);
  if (!block.name.endsWith("_res")) return stridedStage(name, widths, strides, edges);
  const product = strides[0] * strides[1] * strides[2];
  if (widths[1] % product !== 0 || (widths[0] * product) % widths[1] !== 0)
    refuse(`${name} (${block.name}) can not make ${widths[1]} channels of ${widths[0]}`);
  return downsamplingStage(name, widths, strides, edges);
}

/** `[B, C, f, h, w]` with its statistics undone to pixels in about -1..1. */
export function decoderStages(config: DecoderConfig, refuse: Refuse): Stage[] {
  const { outChannels, latentChannels, patchSize, padding, isCausal, isTimestepConditioned } = config;
  const edges: Edges = { isCausal, padding };
  // The list has the order of an encoder; a decoder goes through it from its end.
  const blocks = config.blocks.toReversed();
  let width = blocks.reduce((product, block) => product * decoderFactor(block), config.baseChannels);
  const stages: Stage[] = [
    {
      name: "conv_in",
      parameters: convolution("conv_in.conv", latentChannels, width),
      lookahead: lookaheadOf(edges, 1),
      run: (given, x) => convolve(given, "conv_in.conv", edges, x),
    },
  ];
  for (const [i, block] of blocks.entries()) {
    const name = `up_blocks.${i}`;
    if (width % decoderFactor(block) !== 0) refuse(`${name} (${block.name}) can not divide ${width} channels`);
    const widths = [width, width / decoderFactor(block)] as const;
    stages.push(decoderStage(name, block, widths, { edges, isConditioned: isTimestepConditioned, refuse }));
    width = widths[1];
  }
  stages.push({
    name: "conv_out",
    parameters: [
      ...convolution("conv_out.conv", width, outChannels * patchSize ** 2),
      ...(isTimestepConditioned
        ? [...timeEmbedder("last_time_embedder", 2 * width), { name: "last_scale_shift_table", shape: [2, width] }]
        : []),
    ],
    lookahead: lookaheadOf(edges, 1),
    run(given, x) {
      const normed = pixelNorm(given.ops, x);
      const modulated = given.timestep === null ? normed : modulatedHead(given, normed);
      return convolve(given, "conv_out.conv", edges, given.ops.silu(modulated));
    },
  });
  return [...stages, { name: "unpatchify", parameters: [], run: ({ ops }, x) => unpatchify(ops, x, patchSize) }];
}

function modulatedHead(given: Parameters<Stage["run"]>[0], x: Tensor): Tensor {
  const rows = rowsOf(given, "last_scale_shift_table", embedTimestep(given, "last_time_embedder"));
  return scaled(given, x, rows(1), rows(0));
}

function decoderFactor({ name, multiplier }: VaeBlock): number {
  if (name === "res_x_y") return multiplier ?? 2;
  return name.startsWith("compress_") ? (multiplier ?? 1) : 1;
}

interface DecoderSettings {
  readonly edges: Edges;
  readonly isConditioned: boolean;
  readonly refuse: Refuse;
}

function decoderStage(
  name: string,
  block: VaeBlock,
  widths: readonly [number, number],
  { edges, isConditioned, refuse }: DecoderSettings,
): Stage {
  const { layers, injectsNoise } = block;
  if (block.name === "attn") return attentionStage(name, widths[0]);
  if (block.name === "res_x") return residualStage(name, widths[0], { edges, layers, isConditioned, injectsNoise });
  if (block.name === "res_x_y")
    return wideningStage(name, widths, { edges, layers, isConditioned: false, injectsNoise });
  const strides = stridesOf(block.name);
  const isResidual = block.isResidual && block.name === "compress_all";
  if (isResidual && (widths[0] % 8 !== 0 || widths[1] % (widths[0] / 8) !== 0))
    refuse(`${name} (${block.name}) can not repeat ${widths[0]} channels`);
  return upsamplingStage(name, widths, strides, { edges, isResidual });
}
