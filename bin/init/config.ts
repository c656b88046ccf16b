/** The run config of a new project, in the official trainer's format. */

/** What differs between the strategies to start from. */
export interface Recipe {
  readonly strategy: string;
  /** Lines of `training_strategy` below its name. */
  readonly parameters: readonly string[];
  readonly targetModules: readonly string[];
}

const videoTargets = ["attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ff.net.0.proj", "ff.net.2"];
const audioTargets = videoTargets.map((name) => `audio_${name}`);

export const recipes = {
  inpainting: {
    strategy: "inpainting",
    parameters: ["mask_latents_dir: mask_latents", "mask_threshold: 0.5"],
    targetModules: videoTargets,
  },
  text_to_video: {
    strategy: "text_to_video",
    parameters: ["first_frame_conditioning_p: 0.1"],
    targetModules: videoTargets,
  },
  text_to_video_with_audio: {
    strategy: "text_to_video_with_audio",
    parameters: ["first_frame_conditioning_p: 0.1"],
    targetModules: [...videoTargets, ...audioTargets],
  },
} satisfies Readonly<Record<string, Recipe>>;

/** The text of train.yaml. */
export function runConfig({ strategy, parameters, targetModules }: Recipe): string {
  return `# yaml-language-server: $schema=.vscode/train.schema.json
# The format of the official LTX-2 trainer; only \`runtime\` is ltxc's own.
# Relative paths start at this file's folder.

model:
  model_path: models/tiny-ltx2.safetensors  # random weights: replace it by a real checkpoint
  training_mode: lora

lora:
  rank: 8
  alpha: 8
  dropout: 0.0
  # Parts of module names, matched from the end. The usual set for a real model: [to_k, to_q, to_v, to_out.0]
  target_modules:
${targetModules.map((name) => `    - ${name}`).join("\n")}

training_strategy:
  name: ${strategy}  # as in \`strategy:\` of the .strategy file; the other keys are its params
${parameters.map((line) => `  ${line}`).join("\n")}

optimization:
  learning_rate: 1e-2  # for a real model rather 1e-4
  steps: 200
  batch_size: 2
  gradient_accumulation_steps: 1
  max_grad_norm: 1.0
  optimizer_type: adamw
  scheduler_type: linear

data:
  preprocessed_data_root: data
  num_dataloader_workers: 2

flow_matching:
  timestep_sampling_mode: shifted_logit_normal

checkpoints:
  interval: 100  # a save every so many steps, and one at the end
  keep_last_n: 2
  precision: bfloat16

validation:
  interval: null

seed: 42
output_dir: outputs

runtime:
  engine: auto
`;
}
