import { resolveConfig } from "../../../runtime/config/resolve.ts";
import type { RunConfig } from "../../../runtime/config/run-config.ts";
import type { Case, Manifest } from "../../case.ts";
import type { Checks } from "../../checks.ts";
import { keys, limits, type KnownKeys } from "../../known.ts";

/** The settings of a run, of which a run config has most; the rest is fixed here and must be what the case was trained with. */
export const knownSettings: KnownKeys = {
  ...keys("model_config", "batches", "num_samples", "num_micro_steps"),
  strategy: keys("class", "config"),
  optimization: {
    ...keys("learning_rate", "steps", "batch_size", "gradient_accumulation_steps", "max_grad_norm"),
    ...keys("scheduler_type", "scheduler_params", "optimizer", "betas", "eps", "weight_decay"),
  },
  lora: keys("rank", "alpha", "scale", "dropout", "target_modules", "matched_modules"),
  sampler: keys("mode", "params"),
  embeddings_processor: keys("config", "num_learnable_registers", "weights", "note"),
  lora_tensors: keys("init", "prefixes", "names"),
  ...keys("logged_metrics", "lora_tensors_never_changed"),
  tolerance: limits("loss", "grad_norm", "lr", "grad.first_step", "lora.final"),
};

/** What no run config sets: the optimizer and its constants. */
const fixed: Manifest = { optimizer: "torch AdamW", betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.01 };

/** The case's settings as a run config, with the defaults of one. */
export function configOf({ manifest, directory }: Case): RunConfig {
  const optimization = Object.entries(manifest["optimization"]).filter(([name]) => !(name in fixed));
  const { rank, alpha, dropout, target_modules } = manifest["lora"];
  const { mode, params } = manifest["sampler"];
  const raw = {
    model: { model_path: "weights.safetensors" },
    lora: { rank, alpha, dropout, target_modules },
    training_strategy: manifest["strategy"].config,
    optimization: Object.fromEntries(optimization),
    data: { preprocessed_data_root: "." },
    flow_matching: { timestep_sampling_mode: mode, timestep_sampling_params: params },
  };
  const { config, findings } = resolveConfig(raw, { configDirectory: directory });
  if (config === null) throw new Error(findings.map(({ message }) => message).join("; "));
  return config;
}

/** What the settings say twice, and what is fixed. */
export function checkSettings({ manifest, tensors }: Case, checks: Checks, modules: readonly string[]): void {
  const { optimization, lora, batches, lora_tensors } = manifest;
  for (const [name, value] of Object.entries(fixed)) checks.same(name, value, optimization[name] ?? value);
  const scale = lora.alpha / lora.rank;
  checks.same("the adapters' scale", scale, lora.scale ?? scale);
  checks.same("the modules with adapters", modules, lora.matched_modules ?? modules);
  const microSteps = optimization.steps * optimization.gradient_accumulation_steps;
  checks.same("the number of micro-batches", microSteps, manifest["num_micro_steps"] ?? microSteps);
  checks.same("the number of batches", batches.length, microSteps);
  const count = (prefix: string) => [...tensors.keys()].filter((name) => name.startsWith(prefix)).length;
  checks.same("the number of initial adapters", count("lora.init."), lora_tensors?.init ?? 2 * modules.length);
}
