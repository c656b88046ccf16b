/** Face of the room `lora-files` for the command line: LoRA files of any program, without the engines. */
export { convertLora, type Converted, type LoraDType } from "./convert.ts";
export type { LoraFormat } from "./formats.ts";
export { loraInFolder, peftFiles, peftFolder } from "./in-folder.ts";
