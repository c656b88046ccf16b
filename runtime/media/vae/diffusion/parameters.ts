/** Names and shapes of the diffusion decoder's tensors. */
import { sinusoidChannels } from "../../../model/parameters.ts";
import type { Parameter } from "../layers.ts";
import type { DiffusionConfig } from "./config.ts";

/** Rows of modulation that each diffusion block has; four are used. */
export const ROWS = 7;

/** The block's parts whose results a gate multiplies, where the file has one. */
export const gates = [
  ["gate_msa", "attn.proj"],
  ["gate_mlp", "mlp.w_down"],
  ["gate_ctx", "context_proj"],
] as const;

/** All tensors of the half but the gates, by their names below its prefix. */
export function parametersOf(config: DiffusionConfig): Parameter[] {
  const { latentChannels, stages, upsamples, timeWidth, headDim } = config;
  const last = stages.at(-1)?.channels ?? 0;
  return [
    ...linear("conv_in", latentChannels, stages[0]?.channels ?? 0),
    ...stages.slice(0, -1).flatMap(({ channels, depth }, i) => numbered(depth, `det_stages.${i}`, channels, headDim)),
    ...upsamples.flatMap(({ strides, reduction }, i) => {
      const { channels = 0 } = stages[i] ?? {};
      return linear(`upsamples.${i}.proj`, channels, (channels * strides[0] * strides[1] * strides[2]) / reduction);
    }),
    ...linear("t_embedder.mlp.0", sinusoidChannels, timeWidth),
    ...linear("t_embedder.mlp.2", timeWidth, timeWidth),
    ...linear("conv_in_x_t", 3 * config.patchSize ** 2, last),
    ...linear("shared_adaln.proj", timeWidth, ROWS * last),
    ...numbered(stages.at(-1)?.depth ?? 0, "diff_blocks", last, headDim),
    ...diffusionBlocks(config).flatMap((at) => [
      { name: `${at}.scale_shift_table`, shape: [ROWS, last] },
      ...linear(`${at}.context_proj`, last, last),
    ]),
    { name: "norm_out.weight", shape: [last] },
    ...linear("conv_out", last, 3 * config.patchSize ** 2),
  ];
}

/** Gates of the diffusion blocks, which files may have. */
export function gateParameters(config: DiffusionConfig): Parameter[] {
  const shape = [config.stages.at(-1)?.channels ?? 0];
  return diffusionBlocks(config).flatMap((at) => gates.map(([gate]) => ({ name: `${at}.${gate}`, shape })));
}

/** The names of the blocks of the last stage. */
export const diffusionBlocks = ({ stages }: DiffusionConfig): string[] =>
  Array.from({ length: stages.at(-1)?.depth ?? 0 }, (_, i) => `diff_blocks.${i}`);

const linear = (name: string, inputs: number, outputs: number): Parameter[] => [
  { name: `${name}.weight`, shape: [outputs, inputs] },
  { name: `${name}.bias`, shape: [outputs] },
];

const numbered = (count: number, name: string, channels: number, headDim: number): Parameter[] =>
  Array.from({ length: count }, (_, i) => block(`${name}.${i}`, channels, headDim)).flat();

function block(at: string, channels: number, headDim: number): Parameter[] {
  const hidden = Math.ceil((4 * channels) / 16) * 16;
  return [
    { name: `${at}.norm1.weight`, shape: [channels] },
    { name: `${at}.norm2.weight`, shape: [channels] },
    ...linear(`${at}.attn.qkv`, channels, 3 * channels),
    { name: `${at}.attn.q_norm.weight`, shape: [headDim] },
    { name: `${at}.attn.k_norm.weight`, shape: [headDim] },
    ...linear(`${at}.attn.proj`, channels, channels),
    { name: `${at}.mlp.w_gate.weight`, shape: [hidden, channels] },
    { name: `${at}.mlp.w_up.weight`, shape: [hidden, channels] },
    { name: `${at}.mlp.w_down.weight`, shape: [channels, hidden] },
  ];
}
