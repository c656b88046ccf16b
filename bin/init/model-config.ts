/** Architecture of the tiny model of a new project, in the keys of official checkpoints: an LTX-2.3 with every width cut down. */
import { sizes } from "./clips.ts";

const heads = 2;
const width = 64;
const audioWidth = 32;

/** What the section `transformer` of the checkpoint's metadata holds. */
export const transformer = {
  num_layers: 2,
  num_attention_heads: heads,
  attention_head_dim: width / heads,
  in_channels: sizes.channels,
  out_channels: sizes.channels,
  cross_attention_dim: width,
  norm_eps: 1e-6,
  positional_embedding_theta: 10000,
  positional_embedding_max_pos: [20, 2048, 2048],
  timestep_scale_multiplier: 1000,
  audio_num_attention_heads: heads,
  audio_attention_head_dim: audioWidth / heads,
  audio_in_channels: sizes.audioChannels * sizes.mel,
  audio_out_channels: sizes.audioChannels * sizes.mel,
  audio_cross_attention_dim: audioWidth,
  audio_positional_embedding_max_pos: [20],
  av_ca_timestep_scale_multiplier: 1000,
  rope_type: "split",
  frequencies_precision: "float64",
  apply_gated_attention: true,
  cross_attention_adaln: true,
  caption_proj_before_connector: true,
  caption_projection_first_linear: false,
  caption_proj_input_norm: false,
  caption_projection_second_linear: false,
  connector_num_attention_heads: heads,
  connector_attention_head_dim: width / heads,
  connector_num_layers: 1,
  audio_connector_num_attention_heads: heads,
  audio_connector_attention_head_dim: audioWidth / heads,
  connector_positional_embedding_max_pos: [4096],
  connector_apply_gated_attention: true,
};

/** The autoencoder. Only its scale factors are read: 8 in time, 32 in height and width. */
export const vae = {
  patch_size: 4,
  encoder_blocks: [
    ["compress_space_res", {}],
    ["compress_time_res", {}],
    ["compress_all_res", {}],
    ["compress_all_res", {}],
  ],
};

/** The same with a decoder, and with all that its weights follow from. */
export const wholeVae = {
  ...vae,
  _class_name: "CausalVideoAutoencoder",
  latent_channels: sizes.channels,
  latent_log_var: "uniform",
  timestep_conditioning: false,
  spatial_padding_mode: "zeros",
  encoder_blocks: vae.encoder_blocks.map(([name]) => [name, { multiplier: 1 }]),
  decoder_base_channels: 8,
  decoder_blocks: [
    ["res_x", { num_layers: 1 }],
    ["compress_space", { multiplier: 2 }],
    ["compress_time", { multiplier: 1 }],
    ["compress_all", { multiplier: 2 }],
    ["compress_all", { multiplier: 1 }],
  ],
};

/** Widths of the caption's features for the video and the audio stream. */
export const textWidths = { video: width, audio: audioWidth } as const;
