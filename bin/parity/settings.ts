/** How a run is trained for a comparison: as its run config says, but for what the two trainers cannot do equally. */
import { askedFor, noneAsked, type RunConfig } from "../../runtime/config/index.ts";

/**
 * Everything in float32; nothing that draws random numbers of its own (dropout) or that the official trainer counts in another way (its
 * schedule steps once for each process); nothing besides the training.
 */
const exact = {
  optimization: { scheduler_type: "constant", scheduler_params: {}, optimizer_type: "adamw" },
  acceleration: { mixed_precision_mode: "no", quantization: null },
  data: { num_dataloader_workers: 0 },
  checkpoints: { interval: null, no_resume: true, precision: "float32", save_training_state: "off" },
} as const;

/** What of these settings users may have chosen in another way, in words. */
export function changesOf({ lora, optimization, acceleration, checkpoints, runtime }: RunConfig): readonly string[] {
  return [
    acceleration.mixed_precision_mode === "no" ? null : "in float32",
    optimization.scheduler_type === "constant" ? null : "with a constant learning rate",
    (lora?.dropout ?? 0) === 0 ? null : "without dropout",
    optimization.optimizer_type === "adamw" ? null : "with AdamW of 32 bits",
    Object.keys(askedFor(runtime)).length === 0 ? null : "without `runtime.optimization`",
    runtime.lora.blocks === null ? null : "with adapters in all blocks",
    acceleration.quantization === null ? null : "without quantization",
    checkpoints.interval === null ? null : "saved at the end alone",
  ].flatMap((change) => change ?? []);
}

interface Aims {
  readonly steps: number;
  readonly outputs: string;
  /** The weights that both start from; null for those of the model alone. */
  readonly start: string | null;
}

/** For ltxc: on the CPU, with as many micro-batches a step as the official trainer has over all its processes. */
export function settingsHere(config: RunConfig, { steps, outputs, start }: Aims): RunConfig {
  const { optimization, runtime, lora } = config;
  const microBatches = optimization.gradient_accumulation_steps * runtime.processes;
  return {
    ...config,
    model: { ...config.model, load_checkpoint: start },
    lora: lora === null ? null : { ...lora, dropout: 0 },
    optimization: { ...optimization, ...exact.optimization, steps, gradient_accumulation_steps: microBatches },
    acceleration: { ...config.acceleration, ...exact.acceleration },
    data: { ...config.data, ...exact.data },
    checkpoints: { ...config.checkpoints, ...exact.checkpoints },
    validation: { ...config.validation, interval: null, samples: [], prompts: [], skip_initial_validation: true },
    evaluation: { ...config.evaluation, samples: 0 },
    runtime: {
      ...runtime,
      lora: { blocks: null },
      optimization: noneAsked,
      engine: runtime.engine === "ltx-trainer" ? "auto" : runtime.engine,
      provider: "cpu",
    },
    output_dir: outputs,
  };
}

type Mapping = Readonly<Record<string, unknown>>;

/** The same for the official trainer: changes of the run config as it was written. */
export function settingsThere(written: Mapping, { steps, outputs, start }: Aims): Mapping {
  const { evaluation: _, runtime: __, ...official } = written;
  const changed = (section: string, changes: Mapping) => ({
    [section]: { ...(written[section] as Mapping), ...changes },
  });
  return {
    ...official,
    ...changed("model", { load_checkpoint: start }),
    ...(written["lora"] == null ? {} : changed("lora", { dropout: 0 })),
    ...changed("optimization", { ...exact.optimization, steps }),
    ...changed("acceleration", exact.acceleration),
    ...changed("data", exact.data),
    ...changed("checkpoints", exact.checkpoints),
    validation: { interval: null, samples: [], generate_video: false, generate_audio: false },
    wandb: { enabled: false },
    hub: { push_to_hub: false },
    output_dir: outputs,
  };
}
