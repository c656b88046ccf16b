/**
 * A run config in the official trainer's format with everything that it has for little memory, and nothing of ours. It is for the data and
 * the model of a project of `text_to_video_with_audio`.
 */
export const lowMemoryConfig = `model:
  model_path: "models/tiny-ltx2.safetensors"
  text_encoder_path: "/path/to/gemma-text-encoder"
  training_mode: "lora"
  load_checkpoint: null

lora:
  rank: 16
  alpha: 16
  dropout: 0.0
  target_modules: ["to_k", "to_q", "to_v", "to_out.0"]

training_strategy:
  name: "text_to_video"
  first_frame_conditioning_p: 0.5
  with_audio: true
  audio_latents_dir: "audio_latents"

optimization:
  learning_rate: 1e-4
  steps: 2
  batch_size: 1
  gradient_accumulation_steps: 1
  max_grad_norm: 1.0
  optimizer_type: "adamw8bit"
  scheduler_type: "linear"
  scheduler_params: {}
  enable_gradient_checkpointing: true

acceleration:
  mixed_precision_mode: "bf16"
  quantization: "int8-quanto"
  load_text_encoder_in_8bit: true
  offload_optimizer_during_validation: true

data:
  preprocessed_data_root: "data"
  num_dataloader_workers: 2

validation:
  prompts: []
  interval: null

checkpoints:
  interval: null
  keep_last_n: -1
  precision: "bfloat16"

flow_matching:
  timestep_sampling_mode: "shifted_logit_normal"
  timestep_sampling_params: {}

hub:
  push_to_hub: false
  hub_model_id: null

wandb:
  enabled: false
  project: "ltx-2-trainer"
  entity: null
  tags: ["ltx2", "lora"]
  log_validation_videos: true

seed: 42
output_dir: "outputs/low_memory"
`;
