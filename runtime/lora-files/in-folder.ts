import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** What PEFT and diffusers call the LoRA in a folder that they save. */
const names = ["adapter_model.safetensors", "pytorch_lora_weights.safetensors"] as const;

/** The LoRA file in a folder that PEFT or diffusers saved; null where there is none. */
export function loraInFolder(folder: string): string | null {
  return names.map((name) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** The two files of an adapter that PEFT loads: they must fit each other. */
export const peftFiles = { weights: names[0], config: "adapter_config.json" } as const;

/** The folder in which PEFT finds both files, where `out` names it or the weights in it; null for a file of another name. */
export function peftFolder(out: string): string | null {
  if (!out.endsWith(".safetensors")) return out;
  return basename(out) === peftFiles.weights ? dirname(out) : null;
}
