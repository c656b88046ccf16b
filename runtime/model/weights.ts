import { some } from "../some.ts";
import { resolve } from "node:path";
import type { Tensor } from "../contract.ts";
import type { SafetensorsDType, SafetensorsFile, TensorEntry } from "../files/safetensors/index.ts";
import { prefixIn, takePublished } from "../files/kinds/index.ts";
import type { Engine } from "../engine/engine.ts";
import type { StoredTensor } from "../graph/stored-tensor.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { freeMemory } from "../free-memory.ts";
import { blockOf } from "./block-of.ts";
import { isOfFp8, mapFp8, readFp8 } from "./fp8-weights.ts";
import type { Parameter } from "./parameters.ts";

const place: Finding["path"] = ["model", "model_path"];

/** A part of a model whose parameters lie in a file under a common prefix. */
export interface Part {
  readonly prefix: string;
  readonly parameters: readonly Parameter[];
}

/** What the transformer's tensors begin with in published files; those of a full training run have bare names. */
const publishedPrefix = "model.diffusion_model.";

/** The prefix of a file's transformer tensors, from the names in it: that of published files, or one that other tools write. */
export function transformerPrefix({ tensors }: SafetensorsFile): string {
  const known = prefixIn(tensors);
  if (known !== null) return known;
  return [...tensors.keys()].some((name) => name.startsWith(publishedPrefix)) ? publishedPrefix : "";
}

/** All reasons why the parts can not be loaded from the file. `optional` names may be missing. */
export function checkParts(
  file: SafetensorsFile,
  parts: readonly Part[],
  optional: ReadonlySet<string>,
  path: Finding["path"],
): Finding[] {
  const wanted = parts.flatMap(({ prefix, parameters }) =>
    parameters.map(({ name, shape }) => ({ name: prefix + name, shape, optional: optional.has(name) })),
  );
  const missing = wanted.filter((x) => !x.optional && !file.tensors.has(x.name)).map(({ name }) => name);
  const wrong = wanted.flatMap(({ name, shape }) => {
    const found = file.tensors.get(name)?.shape ?? shape;
    return found.join() === shape.join() ? [] : [`${name} is ${show(found)} instead of ${show(shape)}`];
  });
  const report = (code: string, names: readonly string[], what: string, help: string): Finding[] =>
    names.length === 0
      ? []
      : [{ code, severity: "error", path, message: `${file.path} ${what}: ${some(names)}`, help }];
  const lacks = `lacks ${missing.length} of the ${wanted.length} tensors that its config calls for`;
  const differs = `has tensors of other shapes than its config calls for`;
  return [
    ...report(
      "LTX6205",
      missing,
      lacks,
      `its config was written for another file, or tensors were left out of it; ${takePublished}`,
    ),
    ...report("LTX6206", wrong, differs, `its config was written for another model; ${takePublished}`),
  ];
}

/** Where weights of 8 bits are. */
export interface QuantizedWeights {
  /** The tensor of this full name; null where it is not quantized. */
  map(engine: Engine, name: string): Tensor | null;
}

interface HowToLoad {
  readonly isTrained?: boolean;
  /** In place of the file's own; null for none. */
  readonly quantized?: QuantizedWeights | null;
}

/**
 * Loads the parts' parameters as float32, by the names they have below their prefix. Missing ones are left out. Engines that can leave
 * the numbers in their file do, unless they are to be trained.
 */
export async function loadPart(
  engine: Engine,
  file: SafetensorsFile,
  part: Part,
  { isTrained = false, quantized = null }: HowToLoad = {},
): Promise<Map<string, Tensor>> {
  const weights = new Map<string, Tensor>();
  const mapped = async (name: string, entry: TensorEntry) =>
    quantized?.map(engine, name) ??
    (entry.dtype === "F8_E4M3" ? await mapFp8(engine, file, name, place) : mapTensor(engine, file, name, entry));
  const load = async (name: string, entry: TensorEntry) =>
    (isTrained ? null : await mapped(name, entry)) ?? (await readTensor(engine, file, name, entry));
  try {
    for (const { name } of part.parameters) {
      const entry = file.tensors.get(part.prefix + name);
      if (entry !== undefined) weights.set(name, await load(part.prefix + name, entry));
    }
    return weights;
  } catch (error) {
    engine.dispose(...weights.values());
    throw error;
  }
}

const mapped: Partial<Record<SafetensorsDType, StoredTensor["dtype"]>> = {
  F32: "float32",
  BF16: "bfloat16",
  F16: "float16",
};

function mapTensor(
  engine: Engine,
  file: SafetensorsFile,
  name: string,
  { dtype: type, shape, start, end }: TensorEntry,
): Tensor | null {
  const dtype = mapped[type];
  if (engine.map === undefined || dtype === undefined) return null;
  const range = { path: resolve(file.path), shape, dtype, offset: start, length: end - start };
  return engine.map({ ...range, ...blockOf(name) });
}

async function readTensor(
  engine: Engine,
  file: SafetensorsFile,
  name: string,
  { shape, dtype }: TensorEntry,
): Promise<Tensor> {
  const data = dtype === "F8_E4M3" ? await readFp8(file, name, place) : await file.readFloat32(name);
  const kept = engine.keep({ shape, dtype: "float32", data });
  freeMemory(data);
  return kept;
}

/** A warning about tensors under the transformer's prefix that nothing reads. */
export function unusedTensors(
  file: SafetensorsFile,
  prefix: string,
  known: ReadonlySet<string>,
  path: Finding["path"],
): Finding[] {
  const isUnused = (name: string) => name.startsWith(prefix) && !known.has(name) && !isOfFp8(file, name);
  const unused = [...file.tensors.keys()].filter(isUnused);
  if (unused.length === 0) return [];
  const message = `${file.path} has ${unused.length} tensors that this model does not use: ${some(unused)}`;
  const help = "they are left out; if the file was changed by hand, see that its config names what it holds";
  return [{ code: "LTX6207", severity: "warning", path, message, help }];
}

/** Throws the findings, if there are errors among them. */
export function refuse(findings: readonly Finding[]): void {
  if (findings.some(({ severity }) => severity === "error")) throw new FindingsError(findings);
}

function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
