import type { HostTensor } from "../contract.ts";
import { FindingsError, type Finding } from "../findings.ts";

/** Tensors by name, float32 on the host. */
export type NamedTensors = ReadonlyMap<string, HostTensor>;

export interface LoraScale {
  readonly rank: number;
  readonly alpha: number;
}

const PREFIX = "diffusion_model.";
const place: Finding["path"] = ["model", "load_checkpoint"];

/**
 * Adapters as the official trainer names them in its files. Official loaders compute W + strength · B A and know no alpha, so
 * alpha / rank is multiplied into B, and every loader computes the same weights. When the two are equal, the default, B is saved as it
 * is and nothing is recorded; otherwise the metadata records the factor and `fromFile` divides by it. In float32 files that is exact
 * when alpha / rank is a power of two; otherwise a division may round the last bit.
 */
export function toFile(
  tensors: NamedTensors,
  { rank, alpha }: LoraScale,
): { tensors: NamedTensors; metadata: Record<string, string> } {
  const factor = alpha / rank;
  const entries = Array.from(tensors, ([name, x]) => [PREFIX + name, isB(name) ? times(x, factor) : x] as const);
  const metadata: Record<string, string> = factor === 1 ? {} : { lora_rank: String(rank), lora_alpha: String(alpha) };
  return { tensors: new Map(entries), metadata };
}

/**
 * Adapters of a weights file, under the model's names. A file without a recorded alpha comes from the official trainer: its B is used
 * unchanged.
 */
export function fromFile(
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>>,
  scale: LoraScale,
): NamedTensors {
  const factor = "lora_alpha" in metadata ? scale.rank / scale.alpha : 1;
  return new Map(Array.from(tensors, ([name, x]) => [plain(name), isB(name) ? times(x, factor) : x] as const));
}

/**
 * Fits loaded adapters to those of the model: one entry per model tensor, null where the file has none.
 * @throws FindingsError LTX6311 for shapes that differ and for a file without any adapter of this model
 */
export function fitAdapters(
  file: string,
  loaded: NamedTensors,
  wanted: readonly { readonly name: string; readonly shape: readonly number[] }[],
): { readonly values: readonly (HostTensor | null)[]; readonly warnings: readonly Finding[] } {
  const errors = wanted.flatMap(({ name, shape }) => wrongShape(file, name, loaded.get(name)?.shape, shape));
  const known = new Set(wanted.map(({ name }) => name));
  const missing = wanted.filter(({ name }) => !loaded.has(name)).map(({ name }) => name);
  const unknown = [...loaded.keys()].filter((name) => !known.has(name));
  if (missing.length === wanted.length) {
    const help = "write a LoRA file that was trained with these `target_modules`";
    errors.push({
      code: "LTX6311",
      severity: "error",
      path: place,
      message: `${file} has no adapter of this model`,
      help,
    });
  }
  if (errors.length > 0) throw new FindingsError(errors);
  return {
    values: wanted.map(({ name }) => loaded.get(name) ?? null),
    warnings: [...partial(file, "lacks", missing), ...partial(file, "has, without use,", unknown)],
  };
}

const plain = (name: string): string => (name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name);
const isB = (name: string): boolean => name.endsWith(".lora_B.weight");

function times(x: HostTensor, factor: number): HostTensor {
  return factor === 1 ? x : { ...x, data: Float32Array.from(x.data, (value) => value * factor) };
}

function wrongShape(
  file: string,
  name: string,
  found: readonly number[] | undefined,
  shape: readonly number[],
): Finding[] {
  if (found === undefined || found.join() === shape.join()) return [];
  const message = `${file}: ${name} is [${found.join(", ")}], this run's is [${shape.join(", ")}]`;
  const help = "set `lora.rank` to the file's, or train with the model that the file was trained for";
  return [{ code: "LTX6311", severity: "error", path: place, message, help }];
}

function partial(file: string, verb: string, names: readonly string[]): Finding[] {
  if (names.length === 0) return [];
  const some = names.slice(0, 3).join(", ");
  const message = `${file} ${verb} ${names.length} of the adapters: ${some}${names.length > 3 ? ", …" : ""}`;
  const help = "train with the `target_modules` that the file was trained with";
  return [{ code: "LTX6310", severity: "warning", path: place, message, help }];
}
