/** The weights of a model's blocks in 8 bits, in a file of the user's cache: made once for each model, and read from then on. */
import { join, resolve } from "node:path";
import type { Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import {
  openSafetensors,
  writeSafetensors,
  type OutputTensor,
  type SafetensorsFile,
  type TensorEntry,
} from "../files/safetensors/index.ts";
import { fail, type Finding } from "../findings.ts";
import { checkpointHash } from "./checkpoint-hash.ts";
import { quantizations, quantizeRows, type Quantization } from "./quantize.ts";
import { keepQuantized, quantizedFolder, whyNotUsed } from "./quantized-cache.ts";
import { blockOf } from "./block-of.ts";
import type { QuantizedWeights } from "./weights.ts";

/** Raised when the same model gives other bytes. */
const VERSION = 1;

const place: Finding["path"] = ["acceleration", "quantization"];

/** The name of a weight's scales. */
const scaleOf = (name: string): string => `${name}_scale`;

/** Whether a tensor is the weight of a linear layer in a block: only these are quantized. */
function isQuantized(name: string, shape: readonly number[]): boolean {
  return shape.length === 2 && /transformer_blocks\.\d+\..*\.weight$/.test(name);
}

/**
 * The weights of a model in 8 bits, as a file of the cache has them, which is made first where there is none.
 * Errors: those of `openQuantized`.
 */
export async function quantizedWeights(model: SafetensorsFile, wanted: ToQuantize): Promise<QuantizedWeights> {
  const file = await openQuantized(model, wanted);
  await file.close();
  return {
    map(engine, name) {
      const [weight, scale] = [file.tensors.get(name), file.tensors.get(scaleOf(name))];
      if (weight === undefined || scale === undefined) return null;
      return mapped(engine, file.path, name, { to: wanted.to, weight, scale });
    },
  };
}

/** The same for a plan: tensors of the right sizes, whose numbers nobody reads. */
export function blankQuantized(model: SafetensorsFile, to: Quantization): QuantizedWeights {
  return {
    map(engine, name) {
      const weight = model.tensors.get(name);
      if (weight === undefined || !isQuantized(name, weight.shape)) return null;
      const { shape, start } = weight;
      const [rows = 0, width = 0] = shape;
      // Not where the weight is counted itself.
      const scale = { start: start + rows * width, end: start + rows * width + 4 * rows };
      return mapped(engine, model.path, name, { to, weight: { shape, start, end: start + rows * width }, scale });
    },
  };
}

interface Stored {
  readonly to: Quantization;
  readonly weight: Pick<TensorEntry, "shape" | "start" | "end">;
  readonly scale: Pick<TensorEntry, "start" | "end">;
}

function mapped(engine: Engine, path: string, name: string, { to, weight, scale }: Stored): Tensor | null {
  if (engine.map === undefined) return null;
  return engine.map({
    path: resolve(path),
    shape: weight.shape,
    dtype: quantizations[to].dtype,
    offset: weight.start,
    length: weight.end - weight.start,
    scale: { offset: scale.start, length: scale.end - scale.start },
    ...blockOf(name),
  });
}

interface ToQuantize {
  readonly to: Quantization;
  /** Names of tensors of the file. */
  readonly names: readonly string[];
  /** Is told how far it is, in words for the user. */
  readonly tell: (text: string) => void;
}

/**
 * The file with those of the named weights that are quantized, and their scales, float32 `[rows]`.
 * @throws FindingsError LTX6394 without a folder that only this user can write to; LTX619x where there is no room
 */
async function openQuantized(model: SafetensorsFile, { to, names, tell }: ToQuantize): Promise<SafetensorsFile> {
  const folder = quantizedFolder();
  const hash = (await checkpointHash(model.path)).replace(/^sha256:/, "").slice(0, 32);
  const path = join(folder, `${hash}-${to}-${VERSION}.safetensors`);
  const wanted = names.filter((name) => isQuantized(name, model.tensors.get(name)?.shape ?? []));
  const found = await openIfWhole(path, model, wanted, tell);
  if (found !== null) return found;
  await writeSafetensors(path, tensorsOf(model, wanted, to, tell), { base: hash, quantization: to });
  await keepQuantized(path);
  const made = await openIfWhole(path, model, wanted, tell);
  return made ?? fail("LTX6394", `${path} is not what was just written to it`, "see what else writes there", place);
}

/** Null where there is no such file with all of the weights that can be used: one of another run may have fewer. Says what is damaged. */
async function openIfWhole(
  path: string,
  model: SafetensorsFile,
  names: readonly string[],
  tell: ToQuantize["tell"],
): Promise<SafetensorsFile | null> {
  const why = await whyNotUsed(path);
  if (why !== null) {
    if (why !== "") tell(`${path} ${why}: the weights are quantized anew`);
    return null;
  }
  const file = await openSafetensors(path);
  const isThere = (name: string) =>
    file.tensors.has(scaleOf(name)) && file.tensors.get(name)?.shape.join() === model.tensors.get(name)?.shape.join();
  if (names.every(isThere)) return file;
  await file.close();
  return null;
}

/** Each weight, and right behind it its scales. */
function tensorsOf(
  model: SafetensorsFile,
  names: readonly string[],
  to: Quantization,
  tell: ToQuantize["tell"],
): OutputTensor[] {
  let told = -1;
  return names.flatMap((name, i): OutputTensor[] => {
    const shape = model.tensors.get(name)?.shape ?? [];
    const [rows = 0] = shape;
    let scales = new Float32Array(0);
    const quantized = async () => {
      const tenth = Math.floor((10 * i) / names.length);
      if (tenth > told) tell(`quantizing weights to ${to}, once for this model: ${10 * (told = tenth)} %`);
      const made = quantizeRows(await model.readFloat32(name), rows, to);
      scales = made.scales as Float32Array<ArrayBuffer>;
      return made.data;
    };
    return [
      { name, shape, dtype: quantizations[to].stored, data: quantized },
      { name: scaleOf(name), shape: [rows], dtype: "F32", data: async () => scales },
    ];
  });
}
