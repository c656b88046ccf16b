import { writeSafetensors } from "../files/safetensors/index.ts";
import { vaeTensors } from "../media/vae/vae-tensors.ts";

/** The config of a small video VAE with the blocks of LTX-2.3; latents have 8 channels, cells 8 frames and 32 x 32 pixels. */
export const tinyVae = {
  _class_name: "CausalVideoAutoencoder",
  latent_channels: 8,
  patch_size: 4,
  latent_log_var: "uniform",
  timestep_conditioning: false,
  spatial_padding_mode: "zeros",
  decoder_base_channels: 8,
  encoder_blocks: [
    ["res_x", { num_layers: 1 }],
    ["compress_space_res", { multiplier: 2 }],
    ["compress_time_res", { multiplier: 1 }],
    ["compress_all_res", { multiplier: 2 }],
    ["compress_all_res", { multiplier: 1 }],
  ],
  decoder_blocks: [
    ["res_x", { num_layers: 1 }],
    ["compress_space", { multiplier: 2 }],
    ["compress_time", { multiplier: 1 }],
    ["compress_all", { multiplier: 2 }],
    ["compress_all", { multiplier: 1 }],
  ],
} as const;

/** The same with the diffusion decoder of LTX-2.5, whose layers are one block each. Its kernels look two frames ahead in all. */
export const tinyDiffusionVae = {
  _class_name: "CausalDiffusionVAE",
  model_output_type: "x0",
  encoder: { blocks: tinyVae.encoder_blocks, out_channels: 8, patch_size: 4 },
  decoder: {
    in_channels: 8,
    head_dim: 16,
    stage_channels: [32, 16, 16, 16, 16],
    stage_depths: [1, 1, 1, 1, 1],
    stage_kernels: [
      [3, 1, 1],
      [1, 3, 3],
      [1, 3, 3],
      [3, 3, 3],
    ],
    stage5_kernel: [3, 3, 3],
    upsamples: [
      [[1, 2, 2], 2],
      [[2, 1, 1], 1],
      [[2, 2, 2], 1],
      [[2, 2, 2], 1],
    ],
    t_emb_dim: 16,
    timestep_scale_multiplier: 1000,
    default_num_inference_steps: 1,
  },
} as const;

/** Writes a VAE of the config with random weights, under the names of a checkpoint or (`prefix` empty) of a file of its own. */
export async function writeTinyVae(
  path: string,
  { config = tinyVae, prefix = "vae." }: { readonly config?: object; readonly prefix?: string } = {},
): Promise<void> {
  const parameters = vaeTensors(config as never);
  let seed = 1;
  const tensors = parameters.map(({ name, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const spread = 1 / Math.sqrt(Math.max(1, size / (shape[0] ?? 1)));
    const data = Float32Array.from({ length: size }, () => {
      // A linear congruential generator: the same file each time.
      seed = (seed * 1664525 + 1013904223) % 2 ** 32;
      return name.endsWith("std-of-means") ? 1 : 2 * spread * (seed / 2 ** 32 - 0.5);
    });
    return { name: prefix + name, shape, dtype: "F32" as const, data };
  });
  await writeSafetensors(path, tensors, { config: JSON.stringify({ vae: config }) });
}
