import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { replace, setting, type BrokenInput } from "./broken-input.ts";
import { rewritten } from "./model.ts";

const lora = "trained/checkpoints/lora_weights_step_00002.safetensors";
const written = (from: string | RegExp, to: string) => replace("train.yaml", from, to);

const all =
  (...steps: readonly ((cwd: string) => Promise<unknown>)[]) =>
  async (cwd: string): Promise<void> => {
    for (const step of steps) await step(cwd);
  };

/** Begins with the trained LoRA, changed. */
const beginning = (change: Parameters<typeof rewritten>[1]) =>
  all(
    rewritten(lora, { metadata: () => ({}), ...change }, "begin.safetensors"),
    setting("model", "load_checkpoint: begin.safetensors"),
  );

const targets = (lines: string) => written(/(target_modules:\n)(?: {4}- .*\n)+/, `$1${lines}`);

const resumed = (...more: readonly ((cwd: string) => Promise<unknown>)[]) =>
  all(
    setting("model", "load_checkpoint: trained/checkpoints"),
    written(/^output_dir: .*$/m, "output_dir: trained"),
    ...more,
  );

/** Whatever a run warns of before its first step, and trains all the same. */
export const warnedInputs: readonly BrokenInput[] = [
  { name: "a large learning rate", arrange: written(/learning_rate: \S+/, "learning_rate: 1") },
  { name: "a tiny learning rate", arrange: written(/learning_rate: \S+/, "learning_rate: 1e-9") },
  { name: "an alpha far above the rank", arrange: written("alpha: 8", "alpha: 5000") },
  { name: "dropout of nearly all", arrange: written("dropout: 0.0", "dropout: 0.95") },
  { name: "a removed setting", arrange: setting("acceleration", "compile_with_inductor: true") },
  { name: "a setting without effect here", arrange: setting("acceleration", "load_text_encoder_in_8bit: true") },
  { name: "metrics for an online service", arrange: setting("wandb", "enabled: true") },
  { name: "an upload", arrange: setting("hub", "push_to_hub: true", "hub_model_id: me/mine") },
  { name: "a precision of other machines", arrange: setting("acceleration", "mixed_precision_mode: fp16") },
  { name: "samples with prompts alone", arrange: setting("validation", "interval: 2", "samples: [{prompt: a cat}]") },
  {
    name: "prompts of an earlier release",
    arrange: setting("validation", "prompts: [a cat]", "interval: 2", "videos_per_prompt: 1"),
  },
  { name: "an offload that the engine lacks", arrange: setting("runtime", "offload: blocks", "engine: wasm") },
  { name: "a target without effect", arrange: written(/(target_modules:\n)/, "$1    - nothing.like_it\n") },
  { name: "a LoRA that does not say its alpha", arrange: all(beginning({}), written("  alpha: 8", "  alpha: 4")) },
  { name: "a LoRA that lacks layers", arrange: beginning({ keep: (name) => !name.includes("attn1.to_q") }) },
  { name: "a LoRA of more layers", arrange: all(beginning({}), targets("    - attn1.to_q\n")) },
  {
    name: "a LoRA of another model's text encoder, too",
    arrange: beginning({
      change: (tensor) =>
        tensor.name.includes("1.attn1.to_q") ? { ...tensor, name: `text_encoder.${tensor.name}` } : tensor,
    }),
  },
  { name: "a run that goes on with another engine", arrange: resumed(setting("runtime", "engine: cpu")) },
  {
    name: "a resume without its training state, in another folder",
    arrange: all(
      (cwd) => rm(join(cwd, "trained/checkpoints/training_state_step_00002.state")),
      setting("model", "load_checkpoint: trained/checkpoints"),
    ),
  },
  {
    name: "a state of the official trainer",
    arrange: all(
      (cwd) =>
        rename(
          join(cwd, "trained/checkpoints/training_state_step_00002.state"),
          join(cwd, "trained/checkpoints/training_state_step_00002.pt"),
        ),
      setting("model", "load_checkpoint: trained/checkpoints"),
    ),
  },
  {
    name: "an empty folder to begin with",
    arrange: all((cwd) => mkdir(join(cwd, "empty")), setting("model", "load_checkpoint: empty")),
  },
  {
    name: "a resume without moments",
    arrange: resumed(
      rewritten("trained/checkpoints/training_state_step_00002.state", {
        keep: () => false,
        metadata: ({ training_state: header = "" }) => ({
          training_state: JSON.stringify({ ...(JSON.parse(header) as object), updates: null }),
        }),
      }),
    ),
  },
  { name: "a folder among the samples", arrange: (cwd) => mkdir(join(cwd, "data/latents/x.pt")) },
  { name: "a sample without its mask", arrange: (cwd) => rm(join(cwd, "data/mask_latents/clip_5.pt")) },
  {
    name: "notes of macOS among the samples",
    arrange: (cwd) => writeFile(join(cwd, "data/latents/._clip_1.pt"), Buffer.from("\x00\x05\x16\x07")),
  },
];
