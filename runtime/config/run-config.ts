import type { FlowMatching } from "../random/samplers.ts";

/**
 * A run config with every default filled in. Sections and fields are named as in the official trainer's YAML and described in
 * schemas/train.schema.json; a test holds the two together. Paths are absolute.
 */
export interface RunConfig {
  readonly model: ModelConfig;
  readonly lora: LoraConfig | null;
  readonly training_strategy: StrategyConfig;
  readonly optimization: OptimizationConfig;
  readonly acceleration: AccelerationConfig;
  readonly data: DataConfig;
  readonly validation: ValidationConfig;
  readonly checkpoints: CheckpointsConfig;
  readonly hub: { readonly push_to_hub: boolean; readonly hub_model_id: string | null };
  /** Its parameters are complete once resolved, and those of its mode. */
  readonly flow_matching: FlowMatching;
  readonly wandb: WandbConfig;
  readonly seed: number;
  readonly output_dir: string;
  readonly runtime: RuntimeConfig;
  readonly evaluation: EvaluationConfig;
}

export interface ModelConfig {
  readonly model_path: string;
  readonly text_encoder_path: string | null;
  readonly video_vae_path: string | null;
  readonly audio_vae_path: string | null;
  readonly training_mode: "lora" | "full";
  readonly load_checkpoint: string | null;
}

export interface LoraConfig {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly target_modules: readonly string[];
}

/** The strategy's name and its parameters as written; `strategyOf` tells the two apart. */
export interface StrategyConfig {
  readonly name: string;
  readonly [param: string]: unknown;
}

/** One of the two modalities of the official strategy `flexible`. */
export interface FlexibleModality {
  readonly is_generated: boolean;
  /** Below the data root, as all directories. */
  readonly latents_dir: string;
  readonly conditions: readonly FlexibleCondition[];
}

/** `type` tells which of the other fields there are. */
export interface FlexibleCondition {
  readonly type: "first_frame" | "prefix" | "suffix" | "spatial_crop" | "mask" | "reference";
  /** Share of the samples; of the batches for a reference. */
  readonly probability: number;
  /** Latent frames or steps (prefix, suffix). */
  readonly temporal_boundary?: number;
  /** y1, x1, y2, x2 in pixels (spatial_crop). */
  readonly spatial_region?: readonly number[];
  readonly mask_dir?: string;
  /** Of a reference. */
  readonly latents_dir?: string;
}

export interface OptimizationConfig {
  readonly learning_rate: number;
  readonly steps: number;
  readonly batch_size: number;
  readonly gradient_accumulation_steps: number;
  readonly max_grad_norm: number;
  readonly optimizer_type: "adamw" | "adamw8bit";
  readonly scheduler_type: "constant" | "linear" | "cosine" | "cosine_with_restarts" | "polynomial" | "step";
  readonly scheduler_params: Readonly<Record<string, unknown>>;
  readonly enable_gradient_checkpointing: boolean;
}

export interface AccelerationConfig {
  readonly mixed_precision_mode: "no" | "fp16" | "bf16" | null;
  readonly quantization: string | null;
  readonly load_text_encoder_in_8bit: boolean;
  readonly offload_optimizer_during_validation: boolean;
}

export interface DataConfig {
  readonly preprocessed_data_root: string;
  readonly num_dataloader_workers: number;
}

export interface ValidationConfig {
  readonly samples: readonly ValidationSample[];
  readonly negative_prompt?: string;
  readonly negative_conditions_file: string | null;
  readonly video_dims: readonly number[];
  readonly frame_rate: number;
  readonly seed: number;
  readonly inference_steps: number;
  readonly interval: number | null;
  readonly video_cfg_scale: number;
  readonly audio_cfg_scale: number;
  readonly video_stg_scale: number;
  readonly audio_stg_scale: number;
  readonly stg_blocks: readonly number[] | null;
  readonly guidance_rescale: number;
  readonly video_modality_guidance_scale: number;
  readonly audio_modality_guidance_scale: number;
  readonly generate_audio: boolean;
  readonly generate_video: boolean;
  readonly skip_initial_validation: boolean;
  readonly prompts: readonly string[];
  readonly images: readonly string[] | null;
  readonly reference_videos: readonly string[] | null;
  readonly reference_downscale_factor: number;
  readonly include_reference_in_output: boolean;
}

export interface ValidationSample {
  readonly prompt: string | null;
  readonly conditions_file: string | null;
  readonly conditions: readonly ValidationCondition[];
  readonly video_dims: readonly number[] | null;
  readonly seed: number | null;
}

/** Which fields it has depends on its type. */
export interface ValidationCondition {
  readonly type:
    "first_frame" | "prefix" | "suffix" | "spatial_crop" | "mask" | "reference" | "video_to_audio" | "audio_to_video";
  readonly image_or_video?: string;
  readonly video?: string;
  readonly audio?: string;
  readonly mask?: string;
  readonly num_frames?: number | null;
  readonly duration?: number | null;
  readonly spatial_region?: readonly number[];
  readonly downscale_factor?: number;
  readonly temporal_scale_factor?: number;
  readonly include_in_output?: boolean;
}

export interface CheckpointsConfig {
  readonly interval: number | null;
  readonly keep_last_n: number;
  readonly precision: "bfloat16" | "float32";
  readonly no_resume: boolean;
  readonly save_training_state: "full" | "minimal" | "off";
}

export interface WandbConfig {
  readonly enabled: boolean;
  readonly project: string;
  readonly entity: string | null;
  readonly tags: readonly string[];
  readonly log_validation_videos: boolean;
}

export interface RuntimeConfig {
  /** `ltx-trainer`: the official trainer, with what `ltx_trainer` leads to and in as many `processes`. */
  readonly engine: "auto" | "cpu" | "wasm" | "onnx" | "torch" | "tfjs-node-gpu" | "ltx-trainer";
  readonly provider: "auto" | "cpu" | "webgpu" | "cuda";
  readonly torch: string | null;
  readonly threads: number | null;
  /** Where frozen weights of blocks are: on the device, or on the host until their block's turn comes; `auto` decides on a GPU alone. */
  readonly offload: "auto" | "none" | "blocks";
  readonly resume_anyway: boolean;
  readonly ignore_memory: boolean;
  /** Folders of the strategy's data sets, by name, in place of those that it names. */
  readonly datasets: Readonly<Record<string, string>>;
  /** Files of the strategy's networks, by name, in place of those that it names. */
  readonly networks: Readonly<Record<string, string>>;
  /** An environment of Python, or a folder with the packages; null for the Python of PATH. */
  readonly ltx_trainer: string | null;
  readonly processes: number;
  readonly lora: OwnLoraConfig;
  readonly optimization: OwnOptimizationConfig;
}

/** What the official format does not have of `lora`. */
export interface OwnLoraConfig {
  /** As written: a block, ranges in a text, or a list of both; null for all. */
  readonly blocks: string | number | readonly (string | number)[] | null;
}

/** What the official format does not have of `optimization`. */
export interface OwnOptimizationConfig {
  /** null: `optimization.optimizer_type`. */
  readonly optimizer: "lion" | "prodigy" | null;
  /** Complete once resolved. */
  readonly optimizer_params: Readonly<Record<string, unknown>>;
  readonly weight_decay: number | null;
  readonly warmup_steps: number;
  readonly groups: readonly ParameterGroupConfig[];
  readonly ema_decay: number | null;
  readonly evaluate_ema: boolean;
}

export interface ParameterGroupConfig {
  readonly match: string;
  readonly learning_rate: number | null;
  readonly weight_decay: number | null;
}

export interface EvaluationConfig {
  readonly samples: number;
  readonly interval: number;
  readonly sigmas: readonly number[];
  readonly keep_best: boolean;
}
