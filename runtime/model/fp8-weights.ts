/**
 * Checkpoints whose weights are in 8 bits already, F8_E4M3, as published and as other programs write them: a weight `x.weight`, and next to it
 * `x.weight_scale` (or, of an older ComfyUI, `x.scale_weight`), by which its numbers are multiplied: one number for all, or one for each row.
 * Without any, the numbers are as they are stored. `input_scale` is for computing in 8 bits, which training does not do.
 */
import { resolve } from "node:path";
import type { Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import type { SafetensorsFile, TensorEntry } from "../files/safetensors/index.ts";
import { fail, type Finding } from "../findings.ts";
import { blockOf } from "./block-of.ts";

const scaleNames = [".weight_scale", ".scale_weight"] as const;
const others = /\.(input_scale|scale_input|comfy_quant)$|(^|\.)scaled_fp8$/;

/** Whether any weight of a file is in 8 bits. */
export const isFp8 = ({ tensors }: Pick<SafetensorsFile, "tensors">): boolean =>
  [...tensors.values()].some(({ dtype }) => dtype === "F8_E4M3");

/** Whether a tensor is no weight, but belongs to one in 8 bits. */
export function isOfFp8({ tensors }: Pick<SafetensorsFile, "tensors">, name: string): boolean {
  if (others.test(name)) return isFp8({ tensors });
  const ending = scaleNames.find((one) => name.endsWith(one));
  return ending !== undefined && tensors.has(`${name.slice(0, -ending.length)}.weight`);
}

interface StoredScale {
  readonly name: string;
  readonly entry: TensorEntry;
  /** Of the weight, or one for each of its rows. */
  readonly isSingle: boolean;
}

/** Where the scale of a weight is stored; null where it has none. @throws FindingsError LTX6398 for one that does not fit the weight */
function scaleOf({ tensors }: SafetensorsFile, weight: string, place: Finding["path"]): StoredScale | null {
  const module = weight.replace(/\.weight$/, "");
  const ending = weight.endsWith(".weight") ? scaleNames.find((one) => tensors.has(module + one)) : undefined;
  const name = module + (ending ?? "");
  const entry = tensors.get(name);
  if (ending === undefined || entry === undefined) return null;
  const [rows = 1] = tensors.get(weight)?.shape ?? [];
  const count = entry.shape.reduce((a, b) => a * b, 1);
  if (count !== 1 && count !== rows) {
    const message = `${name} has the shape [${entry.shape.join(", ")}], which is neither one scale nor one for each of the ${rows} rows of its weight`;
    fail("LTX6398", message, "take a checkpoint with one scale for each weight, or one in 16 bits", place);
  }
  return { name, entry, isSingle: count === 1 };
}

/** The numbers by which a weight is multiplied: one, or one for each row. */
const numbersOf = async (file: SafetensorsFile, scale: StoredScale | null): Promise<Float32Array> =>
  scale === null ? Float32Array.of(1) : await file.readFloat32(scale.name);

/** Leaves a weight in its file, widened where it is used; null where the engine can not do so, or for what is no matrix. Errors: those of `readFp8`. */
export async function mapFp8(
  engine: Engine,
  file: SafetensorsFile,
  name: string,
  place: Finding["path"],
): Promise<Tensor | null> {
  const { shape = [], start = 0, end = 0 } = file.tensors.get(name) ?? {};
  if (engine.map === undefined || engine.name !== "torch" || shape.length !== 2) return null;
  const range = {
    path: resolve(file.path),
    shape,
    dtype: "float8_e4m3fn" as const,
    offset: start,
    length: end - start,
  };
  const scale = scaleOf(file, name, place);
  if (scale === null || scale.isSingle) {
    const [factor = 1] = await numbersOf(file, scale);
    return engine.map({ ...range, factor, ...blockOf(name) });
  }
  const { dtype, start: offset, end: last } = scale.entry;
  return dtype === "F32" ? engine.map({ ...range, scale: { offset, length: last - offset }, ...blockOf(name) }) : null;
}

/** The numbers of a weight in float32. @throws FindingsError LTX6398 for scales that do not fit the weight; LTX618x for a broken file */
export async function readFp8(file: SafetensorsFile, name: string, place: Finding["path"]): Promise<Float32Array> {
  const scales = await numbersOf(file, scaleOf(file, name, place));
  const values = await file.readFloat32(name);
  const width = values.length / scales.length;
  return values.map((x, i) => x * (scales[Math.floor(i / width)] ?? 1));
}
