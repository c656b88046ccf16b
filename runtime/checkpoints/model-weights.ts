import type { HostTensor } from "../contract.ts";
import {
  openSafetensors,
  writeSafetensors,
  type OutputTensor,
  type SafetensorsFile,
} from "../files/safetensors/index.ts";
import { FindingsError, type Finding } from "../findings.ts";
import type { BaseFile } from "../model/base-file.ts";
import { transformerPrefix } from "../model/weights.ts";
import type { NamedTensors } from "./lora-weights.ts";
import { writeTensorFile } from "./tensor-file.ts";

const place: Finding["path"] = ["model", "load_checkpoint"];

interface Written {
  readonly metadata: Readonly<Record<string, string>>;
  readonly precision: "bfloat16" | "float32";
}

/**
 * Writes the checkpoint of a full training: a copy of the base checkpoint, its config included, with the trained weights replaced. Every
 * tool that reads the base reads it as well. Tensors that were not trained are copied unchanged. Where the base is no longer what it was,
 * the trained weights are written alone, by their bare names.
 * @param trained by the names that the model gives them
 * @returns what has become of the base, as text; null where it is as it was
 * @throws FindingsError LTX6190, LTX6191 when it can not be written
 */
export async function saveModelWeights(
  path: string,
  base: BaseFile,
  trained: NamedTensors,
  written: Written,
): Promise<string | null> {
  const change = (await base.change()) ?? (await copied(path, base, trained, written));
  if (change !== null) await writeTensorFile(path, { tensors: trained, metadata: written.metadata }, written.precision);
  return change;
}

/** Writes the copy, and returns what has become of the base meanwhile. */
async function copied(path: string, base: BaseFile, trained: NamedTensors, written: Written): Promise<string | null> {
  try {
    await writeCopy(path, base.path, trained, written);
  } catch (error) {
    const change = await base.change();
    if (change === null) throw error;
    return change;
  }
  return base.change();
}

async function writeCopy(
  path: string,
  base: string,
  trained: NamedTensors,
  { metadata, precision }: Written,
): Promise<void> {
  const file = await openSafetensors(base);
  try {
    const prefix = transformerPrefix(file);
    const dtype = precision === "bfloat16" ? "BF16" : "F32";
    const tensors = Array.from(file.tensors, ([name, entry]): OutputTensor => {
      const own = name.startsWith(prefix) ? trained.get(name.slice(prefix.length)) : undefined;
      if (own !== undefined) return { name, shape: own.shape, dtype, data: own.data as Float32Array };
      return { name, shape: entry.shape, dtype: entry.dtype, data: () => file.read(name) };
    });
    await writeSafetensors(path, tensors, { ...file.metadata, ...metadata });
  } finally {
    await file.close();
  }
}

/**
 * Judges the weights of a full training by their file's header.
 * @throws FindingsError LTX6311 for each weight that is missing or has another shape
 */
export async function examineModelWeights(path: string, wanted: Wanted): Promise<void> {
  const file = await openSafetensors(path);
  try {
    checkFit(file, wanted);
  } finally {
    await file.close();
  }
}

type Wanted = readonly { readonly name: string; readonly shape: readonly number[] }[];

/** Errors: FindingsError LTX6311. */
function checkFit(file: SafetensorsFile, wanted: Wanted): void {
  const prefix = transformerPrefix(file);
  const errors = wanted.flatMap(({ name, shape }) => misfit(file, prefix + name, shape));
  if (errors.length > 0) throw new FindingsError(errors);
}

/**
 * Reads the weights of a full training from its checkpoint, or from one of the official trainer, whose names have no prefix.
 * @throws FindingsError LTX6150 when the file is damaged, LTX6311 for each weight that is missing or has another shape
 */
export async function loadModelWeights(path: string, wanted: Wanted): Promise<readonly HostTensor[]> {
  const file = await openSafetensors(path);
  try {
    checkFit(file, wanted);
    const prefix = transformerPrefix(file);
    await file.verify();
    const values: HostTensor[] = [];
    for (const { name, shape } of wanted) {
      values.push({ shape, dtype: "float32", data: await file.readFloat32(prefix + name) });
    }
    return values;
  } finally {
    await file.close();
  }
}

function misfit({ path, tensors }: SafetensorsFile, name: string, shape: readonly number[]): Finding[] {
  const found = tensors.get(name)?.shape;
  if (found?.join() === shape.join()) return [];
  const what = found === undefined ? `has no ${name}` : `has a ${name} of [${found.join(", ")}]`;
  const help = "write a `model_weights_step_*.safetensors` file of a full training of this model";
  return [
    {
      code: "LTX6311",
      severity: "error",
      path: place,
      message: `${path} ${what}, this run trains one of [${shape.join(", ")}]`,
      help,
    },
  ];
}
