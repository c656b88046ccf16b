import type { HostTensor } from "../contract.ts";
import { openSafetensors, writeSafetensors, type OutputTensor } from "../files/safetensors/index.ts";
import type { NamedTensors } from "./lora-weights.ts";

export interface TensorFile {
  readonly tensors: NamedTensors;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads all tensors of a safetensors file, widened to float32.
 * @throws FindingsError LTX6150 when the content is not what its checksum says; LTX6180, LTX6181 as `openSafetensors`
 */
export async function readTensorFile(path: string): Promise<TensorFile> {
  const file = await openSafetensors(path);
  try {
    await file.verify();
    const tensors = new Map<string, HostTensor>();
    for (const [name, { shape }] of file.tensors) {
      tensors.set(name, { shape, dtype: "float32", data: await file.readFloat32(name) });
    }
    return { tensors, metadata: file.metadata };
  } finally {
    await file.close();
  }
}

/** Writes a safetensors file, whole or not at all. */
export function writeTensorFile(path: string, file: TensorFile, precision: "bfloat16" | "float32"): Promise<void> {
  const dtype = precision === "bfloat16" ? "BF16" : "F32";
  const entries = Array.from(file.tensors, ([name, { shape, data }]): OutputTensor => {
    return { name, shape, dtype, data: data as Float32Array };
  });
  return writeSafetensors(path, entries, file.metadata);
}
