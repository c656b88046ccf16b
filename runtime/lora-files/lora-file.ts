import type { HostTensor } from "../contract.ts";
import { openSafetensors, type SafetensorsFile } from "../files/safetensors/index.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { some } from "../some.ts";
import { sortKeys, type Pair, type SortedKeys } from "./sort-keys.ts";
import { scaleOf, type ScaleOf } from "./strength.ts";

/** One layer's adapter in a file: it adds scale · B A to the layer's weights. */
export interface StoredAdapter {
  /** The layer's official name. */
  readonly module: string;
  /** Names of the tensors in the file: A `[rank, inputs]`, B `[outputs, rank]`. */
  readonly a: string;
  readonly b: string;
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Null where nothing says it: then the file is one of the official trainer, or of a program that shares its names. */
  readonly scale: number | null;
}

/** An open LoRA file, whoever wrote it. */
export interface LoraFile {
  readonly path: string;
  /** Whose names its tensors have: official, diffusers, peft, kohya, diffsynth or bare. */
  readonly scheme: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly adapters: ReadonlyMap<string, StoredAdapter>;
  readonly warnings: readonly Finding[];
  /** Its tensors as they are stored. */
  readonly stored: SafetensorsFile;
  close(): Promise<void>;
}

interface OpenOptions {
  /** The setting that named the file. */
  readonly place: Finding["path"];
  /** Names of linear layers besides those of every LTX-2. */
  readonly own?: ReadonlySet<string>;
}

/**
 * Opens a LoRA file by its header and its alphas. Of weights nothing is looked at but, where ltxc wrote the file, their checksum.
 * @throws FindingsError LTX6150 for content that is not what the checksum says, LTX6227 for quantized numbers, LTX6360 for other methods than LoRA, LTX6364 for halves of adapters, LTX6366 for a file without any adapter of
 * LTX-2, LTX6367 for alphas that are no numbers, LTX618x for a broken file
 */
export async function openLora(path: string, { place, own }: OpenOptions): Promise<LoraFile> {
  const stored = await openSafetensors(path);
  try {
    await stored.verify();
    const sorted = sortKeys(stored, place, own);
    refuseQuantized(stored, sorted, place);
    const common = await scaleOf(path, stored.metadata, sorted.scheme, place);
    const alphas = await readAlphas(stored, sorted, place);
    const adapters = sorted.pairs.map((pair) => [pair.module, withScale(pair, common, alphas)] as const);
    return {
      path,
      scheme: sorted.scheme.name,
      metadata: stored.metadata,
      adapters: new Map(adapters),
      warnings: sorted.warnings,
      stored,
      close: () => stored.close(),
    };
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/** Numbers of 8 bits or fewer, and whole numbers, stand for others: without their scales they would be another LoRA. */
function refuseQuantized({ path, tensors }: SafetensorsFile, { pairs }: SortedKeys, place: Finding["path"]): void {
  const types = pairs.flatMap(({ a, b }) => [a, b].map((name) => tensors.get(name)?.dtype ?? ""));
  const others = [...new Set(types.filter((type) => !/^(BF16|F16|F32|F64)$/.test(type)))];
  if (others.length === 0) return;
  const message = `${path} holds numbers of the type ${others.join(", ")}; a LoRA is read with numbers of 16 or 32 bits`;
  const help = "take the file as it was before it was quantized";
  throw new FindingsError([{ code: "LTX6227", severity: "error", path: place, message, help }]);
}

/** A module's own alpha comes before what is said of all. */
function withScale(pair: Pair, common: ScaleOf, alphas: ReadonlyMap<string, number>): StoredAdapter {
  const alpha = alphas.get(pair.module);
  const scale = alpha === undefined ? (common?.(pair) ?? null) : alpha / pair.rank;
  return {
    module: pair.module,
    a: pair.a,
    b: pair.b,
    rank: pair.rank,
    inputs: pair.inputs,
    outputs: pair.outputs,
    scale,
  };
}

async function readAlphas(
  file: SafetensorsFile,
  { pairs }: SortedKeys,
  place: Finding["path"],
): Promise<ReadonlyMap<string, number>> {
  const alphas = new Map<string, number>();
  const wrong: string[] = [];
  for (const { module, alpha } of pairs) {
    if (alpha === null) continue;
    const values = await file.readFloat32(alpha);
    const [value = NaN] = values;
    if (values.length !== 1 || !Number.isFinite(value) || value === 0) wrong.push(alpha);
    alphas.set(module, value);
  }
  if (wrong.length === 0) return alphas;
  const message = `${file.path}: ${some(wrong)} ${wrong.length === 1 ? "is" : "are"} no single number other than 0`;
  const help = "write the file again with the program that made it";
  throw new FindingsError([{ code: "LTX6367", severity: "error", path: place, message, help }]);
}

/** The tensors of some adapters as float32: `value` gets each as it is read. */
export async function readAdapters(
  { path, stored }: LoraFile,
  adapters: readonly StoredAdapter[],
  place: Finding["path"],
  value: (adapter: StoredAdapter, a: HostTensor, b: HostTensor) => void,
): Promise<void> {
  const bad: string[] = [];
  for (const adapter of adapters) {
    const { rank, inputs, outputs } = adapter;
    const [a, b] = [await stored.readFloat32(adapter.a), await stored.readFloat32(adapter.b)];
    if (!a.every(Number.isFinite)) bad.push(adapter.a);
    if (!b.every(Number.isFinite)) bad.push(adapter.b);
    value(
      adapter,
      { shape: [rank, inputs], dtype: "float32", data: a },
      { shape: [outputs, rank], dtype: "float32", data: b },
    );
  }
  if (bad.length === 0) return;
  const count = `${bad.length} of its ${2 * adapters.length} tensors`;
  const message = `${path} has numbers that are not finite (NaN or infinite) in ${count}: ${some(bad)}`;
  const help = "take an earlier checkpoint of the training that wrote it: there the weights were lost";
  throw new FindingsError([{ code: "LTX6361", severity: "error", path: place, message, help }]);
}
