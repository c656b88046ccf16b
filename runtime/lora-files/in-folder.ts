import { existsSync } from "node:fs";
import { join } from "node:path";

/** What PEFT and diffusers call the LoRA in a folder that they save. */
const names = ["adapter_model.safetensors", "pytorch_lora_weights.safetensors"] as const;

/** The LoRA file in a folder that PEFT or diffusers saved; null where there is none. */
export function loraInFolder(folder: string): string | null {
  return names.map((name) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}
