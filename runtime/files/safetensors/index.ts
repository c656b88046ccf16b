export { openSafetensors, type SafetensorsFile } from "./read.ts";
export { writeSafetensors, type OutputTensor } from "./write.ts";
export type { SafetensorsDType, TensorEntry } from "./header.ts";
