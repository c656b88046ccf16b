import { diffusersModule } from "./modules.ts";

/**
 * How programs want a LoRA: the names of its tensors, and where they look for alpha.
 * `alpha`: "always": a scalar `.alpha` for each layer, B as it is. "if-needed": the same, but none where every scale is 1. "in-B": the
 * program may read no alpha from this file, so the scale is multiplied into B.
 */
interface Format {
  readonly alpha: "always" | "if-needed" | "in-B";
  /** Without `.lora_A.weight` and so on. */
  readonly base: (module: string) => string;
  readonly down: string;
  readonly up: string;
}

const peftStyle = { down: "lora_A.weight", up: "lora_B.weight" };

/**
 * Sources: the official trainer strips `diffusion_model.` and computes strength · B A. ComfyUI reads the same names and scales by the
 * tensor `.alpha` / rank, where there is one. diffusers reads `transformer.` and its own names of layers; its older versions know no alpha
 * of such a file, newer ones take alpha = rank. PEFT's files begin with `base_model.model.`, alpha is in the config next to them. kohya's
 * scripts and musubi-tuner write `lora_unet_`, underscores for dots, and an `.alpha` for each layer.
 */
const formats = {
  official: { alpha: "in-B", base: (module) => `diffusion_model.${module}`, ...peftStyle },
  comfyui: { alpha: "if-needed", base: (module) => `diffusion_model.${module}`, ...peftStyle },
  diffusers: { alpha: "in-B", base: (module) => `transformer.${diffusersModule(module)}`, ...peftStyle },
  peft: { alpha: "in-B", base: (module) => `base_model.model.${module}`, ...peftStyle },
  kohya: {
    alpha: "always",
    base: (module) => `lora_unet_${module.replaceAll(".", "_")}`,
    down: "lora_down.weight",
    up: "lora_up.weight",
  },
} as const satisfies Readonly<Record<string, Format>>;

export type LoraFormat = keyof typeof formats;

export const formatOf = (name: LoraFormat): Format => formats[name];
