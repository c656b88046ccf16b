import type { StorageType } from "../../contract.ts";
import { writeAtomically } from "../atomic.ts";
import { float32ToBfloat16, float32ToFloat16 } from "../number-formats.ts";
import type { EntryToWrite, TensorToWrite } from "./to-write.ts";
import { pickleEntries } from "./pickle-writer.ts";
import { zipStored } from "./zip-writer.ts";

/**
 * Writes a dictionary as a `.pt` file that `torch.load` reads: a zip of stored members with 64-byte aligned storages.
 * Atomic. Errors: FindingsError LTX6190, LTX6191.
 */
export async function writePt(path: string, entries: Readonly<Record<string, EntryToWrite>>): Promise<void> {
  const tensors = Object.values(entries).filter(
    (value): value is TensorToWrite => typeof value === "object" && value !== null && "values" in value,
  );
  const archive = zipStored([
    { name: "archive/data.pkl", data: pickleEntries(entries) },
    ...tensors.map(({ storage, values }, i) => ({ name: `archive/data/${i}`, data: narrow(values, storage) })),
    { name: "archive/version", data: Buffer.from("3\n") },
  ]);
  const size = archive.reduce((sum, { byteLength }) => sum + byteLength, 0);
  await writeAtomically(path, size, async (sink) => {
    for (const chunk of archive) await sink(chunk);
  });
}

function narrow(values: Float32Array, storage: StorageType): Uint8Array {
  const typed = narrowed(values, storage);
  return new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
}

function narrowed(values: Float32Array, storage: StorageType) {
  switch (storage) {
    case "float32":
      return values;
    case "bfloat16":
      return float32ToBfloat16(values);
    case "float16":
      return float32ToFloat16(values);
    case "float64":
      return new Float64Array(values);
    case "int64":
      return BigInt64Array.from(Array.from(values, (value) => BigInt(Math.trunc(value))));
    case "int32":
      return new Int32Array(values);
    case "int16":
      return new Int16Array(values);
    case "int8":
      return new Int8Array(values);
    case "uint8":
      return new Uint8Array(values);
    case "bool":
      return Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
  }
}
