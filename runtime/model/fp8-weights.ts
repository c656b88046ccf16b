/**
 * Checkpoints whose weights are in 8 bits already, F8_E4M3, as published and as other programs write them: a weight `x.weight`, and next to it
 * `x.weight_scale` (or, of an older ComfyUI, `x.scale_weight`), by which its numbers are multiplied: one number for all, or one for each row.
 * Without any, the numbers are as they are stored. `input_scale` is for computing in 8 bits, which training does not do.
 */
import { resolve } from "node:path";
import type { Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import type { SafetensorsDType, SafetensorsFile, TensorEntry } from "../files/safetensors/index.ts";
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

const scaleTypes: ReadonlySet<SafetensorsDType> = new Set(["F32", "F16", "BF16", "F64"]);

/**
 * What is wrong with the scales of a file, of which nothing but the header and the scales is read: none where other weights in 8 bits have
 * one, numbers that are not above zero and finite, and two that differ. Returns one finding, LTX6197, which counts all weights.
 * @throws FindingsError LTX6398 for scales that do not fit the weight
 */
export async function checkScales(file: SafetensorsFile, place: Finding["path"]): Promise<Finding[]> {
  const weights = [...file.tensors].flatMap(([name, { dtype, shape }]) =>
    dtype === "F8_E4M3" && name.endsWith(".weight") && shape.length === 2 ? [name] : [],
  );
  const isScaled = weights.some((name) => scaleOf(file, name, place) !== null);
  if (!isScaled) return [];
  const damages: string[] = [];
  for (const name of weights) {
    const damage = await damageOf(file, name);
    if (damage !== null) damages.push(damage);
  }
  const [first, ...more] = damages;
  if (first === undefined) return [];
  const others = more.length === 0 ? "" : `; so are the scales of ${more.length} more of its ${weights.length} weights`;
  const message = `${file.path} has damaged scales: ${first}${others}`;
  const help = "take the checkpoint as it was published, or convert it anew";
  return [{ code: "LTX6197", severity: "error", path: place, message, help }];
}

/** What is wrong with the scale of one weight, in words; null where nothing is. */
async function damageOf(file: SafetensorsFile, weight: string): Promise<string | null> {
  const module = weight.replace(/\.weight$/, "");
  const names = scaleNames.map((ending) => module + ending).filter((name) => file.tensors.has(name));
  if (names.length === 0) return `${weight} is in 8 bits and has none, as others have`;
  const read: (readonly [name: string, numbers: Float32Array])[] = [];
  for (const name of names) {
    const dtype = file.tensors.get(name)?.dtype;
    if (dtype === undefined || !scaleTypes.has(dtype))
      return `${name} has the type ${dtype}, not one of 16 bits or more with fractions`;
    const numbers = await file.readFloat32(name);
    const bad = numbers.find((x) => !(x > 0 && x < Infinity));
    if (bad !== undefined) return `${name} has the number ${bad}, where all must be above 0 and finite`;
    read.push([name, numbers]);
  }
  const [one, other] = read;
  if (one === undefined || other === undefined) return null;
  const isSame = one[1].length === other[1].length && one[1].every((x, i) => x === other[1][i]);
  return isSame ? null : `${one[0]} and ${other[0]} are both there and differ`;
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
