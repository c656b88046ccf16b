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

function scaleOf({ tensors }: SafetensorsFile, name: string): readonly [string, TensorEntry] | null {
  const module = name.replace(/\.weight$/, "");
  for (const ending of name.endsWith(".weight") ? scaleNames : []) {
    const entry = tensors.get(module + ending);
    if (entry !== undefined) return [module + ending, entry];
  }
  return null;
}

const count = ({ shape }: TensorEntry): number => shape.reduce((a, b) => a * b, 1);

/** The scales of a weight, one or one for each row. @throws FindingsError LTX6398 for others */
async function scalesOf(file: SafetensorsFile, name: string, place: Finding["path"]): Promise<Float32Array> {
  const scale = scaleOf(file, name);
  if (scale === null) return Float32Array.of(1);
  const [own, entry] = scale;
  const rows = file.tensors.get(name)?.shape[0] ?? 1;
  if (count(entry) !== 1 && count(entry) !== rows) {
    const message = `${own} has the shape [${entry.shape.join(", ")}], which is neither one scale nor one for each of the ${rows} rows of its weight`;
    fail("LTX6398", message, "take a checkpoint with one scale for each weight, or one in 16 bits", place);
  }
  return await file.readFloat32(own);
}

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
  const scales = await scalesOf(file, name, place);
  const [, entry] = scaleOf(file, name) ?? [];
  if (scales.length === 1) return engine.map({ ...range, factor: scales[0] ?? 1, ...blockOf(name) });
  if (entry?.dtype !== "F32") return null;
  return engine.map({ ...range, scale: { offset: entry.start, length: entry.end - entry.start }, ...blockOf(name) });
}

/** The numbers of a weight in float32. @throws FindingsError LTX6398 for scales that do not fit the weight; LTX618x for a broken file */
export async function readFp8(file: SafetensorsFile, name: string, place: Finding["path"]): Promise<Float32Array> {
  const [values, scales] = [await file.readFloat32(name), await scalesOf(file, name, place)];
  const width = values.length / scales.length;
  return values.map((x, i) => x * (scales[Math.floor(i / width)] ?? 1));
}
