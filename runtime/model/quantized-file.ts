/** The weights of a model's blocks in 8 bits, in a file of the user's cache: made once for each model, and read from then on. */
import { join, resolve } from "node:path";
import type { Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { removeLeftovers } from "../files/atomic.ts";
import {
  openSafetensors,
  writeSafetensors,
  type OutputTensor,
  type SafetensorsFile,
  type TensorEntry,
} from "../files/safetensors/index.ts";
import { fail, type Finding } from "../findings.ts";
import { checkpointHash } from "./checkpoint-hash.ts";
import { groupOf } from "./group-scales.ts";
import { quantizations, quantizeRows, type Quantization } from "./quantize.ts";
import { aboutCache, expectNoFolder, keepQuantized, quantizedFolder, whyNotUsed } from "./quantized-cache.ts";
import { blockOf } from "./block-of.ts";
import type { QuantizedWeights } from "./weights.ts";

const place: Finding["path"] = ["acceleration", "quantization"];

/** The name of a weight's scales. */
const scaleOf = (name: string): string => `${name}_scale`;

/** Whether a tensor is the weight of a linear layer in a block: only these are quantized, in 4 bits those whose rows can be grouped. */
function isQuantized(name: string, shape: readonly number[], to: Quantization): boolean {
  if (shape.length !== 2 || !/transformer_blocks\.\d+\..*\.weight$/.test(name)) return false;
  return !quantizations[to].isGrouped || groupOf(shape[1] ?? 0) > 0;
}

/** The shapes of what is stored of a weight `[rows, width]`, and the type of its scales. */
function layoutOf([rows = 0, width = 0]: readonly number[], to: Quantization) {
  if (!quantizations[to].isGrouped)
    return { numbers: [rows, width], scales: [rows], type: "F32", group: null } as const;
  const group = groupOf(width);
  return { numbers: [rows, width / 2], scales: [rows, width / group], type: "BF16", group } as const;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

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
      const shape = model.tensors.get(name)?.shape ?? [];
      return mapped(engine, file.path, name, { to: wanted.to, shape, weight, scale });
    },
  };
}

/** The same for a plan: tensors of the right sizes, whose numbers nobody reads. */
export function blankQuantized(model: SafetensorsFile, to: Quantization): QuantizedWeights {
  return {
    map(engine, name) {
      const weight = model.tensors.get(name);
      if (weight === undefined || !isQuantized(name, weight.shape, to)) return null;
      const { shape, start } = weight;
      const { numbers, scales, type } = layoutOf(shape, to);
      const end = start + sizeOf(numbers);
      // Not where the weight is counted itself.
      const scale = { start: end, end: end + (type === "F32" ? 4 : 2) * sizeOf(scales) };
      return mapped(engine, model.path, name, { to, shape, weight: { start, end }, scale });
    },
  };
}

interface Stored {
  readonly to: Quantization;
  /** Of the weight as it is computed with. */
  readonly shape: readonly number[];
  readonly weight: Pick<TensorEntry, "start" | "end">;
  readonly scale: Pick<TensorEntry, "start" | "end">;
}

function mapped(engine: Engine, path: string, name: string, { to, shape, weight, scale }: Stored): Tensor | null {
  if (engine.map === undefined) return null;
  const { group } = layoutOf(shape, to);
  return engine.map({
    path: resolve(path),
    shape,
    dtype: quantizations[to].dtype,
    offset: weight.start,
    length: weight.end - weight.start,
    scale: { offset: scale.start, length: scale.end - scale.start },
    ...(group === null ? {} : { group }),
    ...blockOf(name),
  });
}

/** The user has stopped the quantization; nothing of it is left. */
export class QuantizingStopped extends Error {
  constructor() {
    super("stopped while quantizing; nothing was trained");
    this.name = "QuantizingStopped";
  }
}

/** Listens for Ctrl-C and signals like it, until what it returns is called. */
export type OnInterrupt = (listener: () => void) => () => void;

interface ToQuantize {
  readonly to: Quantization;
  /** Names of tensors of the file. */
  readonly names: readonly string[];
  /** Is told how far it is, in words for the user. */
  readonly tell: (text: string) => void;
  /** Is used while weights are quantized. */
  readonly onInterrupt: OnInterrupt;
}

/**
 * The file with those of the named weights that are quantized, and their scales, float32 `[rows]`.
 * @throws FindingsError LTX6394 without a folder that only this user can write to, LTX6198 for a folder in the place of the file; LTX619x
 * where there is no room; QuantizingStopped
 */
async function openQuantized(model: SafetensorsFile, { names, ...how }: ToQuantize): Promise<SafetensorsFile> {
  const { to } = how;
  const folder = quantizedFolder();
  await removeLeftovers(folder);
  const hash = (await checkpointHash(model.path)).replace(/^sha256:/, "").slice(0, 32);
  const path = join(folder, `${hash}-${to}-${quantizations[to].version}.safetensors`);
  expectNoFolder(path);
  const metadata = { base: hash, quantization: to };
  const wanted = names.filter((name) => isQuantized(name, model.tensors.get(name)?.shape ?? [], to));
  const asked = { ...how, names: wanted, metadata };
  const found = await openIfWhole(path, model, asked);
  if (found !== null) return found;
  try {
    await write(path, model, asked);
    await keepQuantized(path);
  } catch (error) {
    throw await aboutCache(error, path);
  }
  const made = await openIfWhole(path, model, asked);
  return made ?? fail("LTX6394", `${path} is not what was just written to it`, "see what else writes there", place);
}

interface Asked extends ToQuantize {
  /** What the file says of itself. */
  readonly metadata: Readonly<Record<"base" | "quantization", string>>;
}

/** @throws QuantizingStopped at the next weight after a signal; the file that was there stays */
async function write(path: string, model: SafetensorsFile, { metadata, onInterrupt, ...asked }: Asked): Promise<void> {
  const stop = new AbortController();
  const off = onInterrupt(() => stop.abort(new QuantizingStopped()));
  try {
    await writeSafetensors(path, tensorsOf(model, asked, stop.signal), metadata);
  } finally {
    off();
  }
}

/** Null where there is no such file with all of the weights that can be used: one of another run may have fewer. Says what is damaged. */
async function openIfWhole(
  path: string,
  model: SafetensorsFile,
  { to, names, tell, metadata }: Asked,
): Promise<SafetensorsFile | null> {
  const why = await whyNotUsed(path);
  if (why !== null) {
    if (why !== "") tell(`${path} ${why}: the weights are quantized anew`);
    return null;
  }
  const file = await openSafetensors(path);
  const isThere = (name: string) => {
    const { numbers, scales } = layoutOf(model.tensors.get(name)?.shape ?? [], to);
    const shapeOf = (own: string) => file.tensors.get(own)?.shape.join();
    return shapeOf(name) === numbers.join() && shapeOf(scaleOf(name)) === scales.join();
  };
  const { base, quantization } = file.metadata;
  const isOther = base !== metadata.base || quantization !== metadata.quantization;
  if (!isOther && names.every(isThere)) return file;
  await file.close();
  if (isOther) tell(`${path} is of another model or method: the weights are quantized anew`);
  return null;
}

/** Each weight, and right behind it its scales. */
function tensorsOf(
  model: SafetensorsFile,
  { names, to, tell }: Pick<ToQuantize, "names" | "to" | "tell">,
  signal: AbortSignal,
): OutputTensor[] {
  let told = -1;
  return names.flatMap((name, i): OutputTensor[] => {
    const shape = model.tensors.get(name)?.shape ?? [];
    const [rows = 0] = shape;
    const { numbers, scales: ofScales, type } = layoutOf(shape, to);
    let scales = new Float32Array(0);
    const quantized = async () => {
      signal.throwIfAborted();
      const tenth = Math.floor((10 * i) / names.length);
      if (tenth > told) tell(`quantizing weights to ${to}, once for this model: ${10 * (told = tenth)} %`);
      const made = quantizeRows(await model.readFloat32(name), rows, to);
      scales = made.scales as Float32Array<ArrayBuffer>;
      return made.data;
    };
    return [
      { name, shape: numbers, dtype: quantizations[to].stored, data: quantized },
      { name: scaleOf(name), shape: ofScales, dtype: type, data: async () => scales },
    ];
  });
}
