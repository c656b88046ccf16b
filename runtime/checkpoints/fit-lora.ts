import type { HostTensor } from "../contract.ts";
import { FindingsError, type Finding, type Rewrite } from "../findings.ts";
import { openLora, readAdapters, type LoraFile, type StoredAdapter } from "../lora-files/lora-file.ts";
import { some } from "../some.ts";
import { times, type LoraScale } from "./lora-weights.ts";

/** A tensor that a run trains: `<layer>.lora_A.weight` of shape [rank, inputs], or `<layer>.lora_B.weight` of [outputs, rank]. */
export interface WantedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

interface FittedLora {
  /** One for each wanted tensor; null where the file has none. */
  readonly values: readonly (HostTensor | null)[];
  readonly warnings: readonly Finding[];
}

const place: Finding["path"] = ["model", "load_checkpoint"];
const [A, B] = [".lora_A.weight", ".lora_B.weight"] as const;

/**
 * Reads a LoRA file for a run: by whichever program it was written, training goes on from the strength that the file has, under the
 * run's own alpha.
 * @throws FindingsError LTX6361 for numbers that are not finite, and those of `examineLora`
 */
export async function loadLora(path: string, wanted: readonly WantedTensor[], run: LoraScale): Promise<FittedLora> {
  return opened(path, wanted, async (file) => {
    const { adapters, warnings } = fit(file, wanted, run);
    const values = new Map<string, HostTensor>();
    await readAdapters(file, adapters, place, (adapter, a, b) => {
      values.set(adapter.module + A, a);
      // The run multiplies by its own alpha / rank.
      values.set(adapter.module + B, times(b, adapter.scale === null ? 1 : (adapter.scale * run.rank) / run.alpha));
    });
    return { values: wanted.map(({ name }) => values.get(name) ?? null), warnings };
  });
}

/**
 * Judges a LoRA file for a run, its numbers included, one tensor in memory at a time.
 * @returns warnings
 * @throws FindingsError LTX6311 where no layer is the same or shapes differ, LTX6362 and LTX6363 for another rank, LTX6361 for numbers that
 * are not finite, LTX6360 to LTX6367 for what is no LoRA of LTX-2
 */
export async function examineLora(
  path: string,
  wanted: readonly WantedTensor[],
  run: LoraScale,
): Promise<readonly Finding[]> {
  return opened(path, wanted, async (file) => {
    const { adapters, warnings } = fit(file, wanted, run);
    await readAdapters(file, adapters, place, () => undefined);
    return warnings;
  });
}

async function opened<T>(
  path: string,
  wanted: readonly WantedTensor[],
  use: (file: LoraFile) => Promise<T>,
): Promise<T> {
  const file = await openLora(path, { place, own: new Set(wanted.map(({ name }) => moduleOf(name))) });
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

const moduleOf = (name: string): string => name.slice(0, name.lastIndexOf(".lora_"));

/** The adapters of a file that a run trains on, if they fit. */
function fit(
  file: LoraFile,
  wanted: readonly WantedTensor[],
  run: LoraScale,
): { readonly adapters: readonly StoredAdapter[]; readonly warnings: readonly Finding[] } {
  const modules = new Set(wanted.map(({ name }) => moduleOf(name)));
  const adapters = [...modules].flatMap((module) => file.adapters.get(module) ?? []);
  const missing = [...modules].filter((module) => !file.adapters.has(module));
  const unused = [...file.adapters.keys()].filter((module) => !modules.has(module));
  const errors =
    adapters.length === 0 ? [noneOfRun(file)] : [...ofRanks(file, adapters, run), ...ofShapes(file, adapters, wanted)];
  if (errors.length > 0) throw new FindingsError(errors);
  return {
    adapters,
    warnings: [
      ...file.warnings,
      ...partial(file.path, "lacks", missing),
      ...partial(file.path, "has, without use,", unused),
      ...ofAlpha(file.path, adapters, run),
    ],
  };
}

function noneOfRun({ path, adapters }: LoraFile): Finding {
  const message = `${path} has no adapter of this model's \`target_modules\`, only of ${some([...adapters.keys()])}`;
  return error("LTX6311", message, "train with the `target_modules` that the file was trained with");
}

/** One finding however many adapters have another rank; where they have one in common, it can be corrected. */
function ofRanks({ path }: LoraFile, adapters: readonly StoredAdapter[], run: LoraScale): Finding[] {
  const ranks = new Map<number, number>();
  for (const { rank } of adapters) ranks.set(rank, (ranks.get(rank) ?? 0) + 1);
  const [rank = run.rank, ...others] = ranks.keys();
  if (others.length > 0) {
    const counts = [...ranks]
      .map(([rank, count]) => `${rank} (${count} ${count === 1 ? "layer" : "layers"})`)
      .join(", ");
    const message = `${path} has adapters of several ranks: ${counts}; ltxc trains all adapters with one`;
    return [error("LTX6363", message, "train from a LoRA of one rank, or start without `load_checkpoint`")];
  }
  if (rank === run.rank) return [];
  const message = `${path} has rank ${rank}, \`lora.rank\` is ${run.rank}`;
  const settings: Readonly<Record<string, number>> = run.alpha === run.rank ? { rank, alpha: rank } : { rank };
  const wanted = Object.entries(settings).map(([key, value]) => `\`lora.${key}: ${value}\``);
  const help = `write ${wanted.join(" and ")}, or start without \`load_checkpoint\``;
  const rewrites = Object.entries(settings).map(([key, value]): Rewrite => {
    return { path: ["lora", key], entries: { [key]: value }, orAdd: true };
  });
  return [{ ...error("LTX6362", message, help), path: ["lora", "rank"], rewrites }];
}

function ofShapes({ path }: LoraFile, adapters: readonly StoredAdapter[], wanted: readonly WantedTensor[]): Finding[] {
  const shapes = new Map(wanted.map(({ name, shape }) => [name, shape]));
  const wrong = adapters.flatMap(({ module, inputs, outputs }) => {
    const [own, theirs] = [
      [shapes.get(module + B)?.[0], shapes.get(module + A)?.[1]],
      [outputs, inputs],
    ];
    return own.join() === theirs.join()
      ? []
      : [`${module} is [${theirs.join(", ")}], this model's is [${own.join(", ")}]`];
  });
  if (wrong.length === 0) return [];
  const rest = wrong.length === 1 ? "" : ` (and ${wrong.length - 1} more)`;
  const message = `${path} belongs to another model: its layer ${wrong[0]}${rest}`;
  return [error("LTX6311", message, "train with the model that the file was trained for")];
}

function partial(file: string, verb: string, modules: readonly string[]): Finding[] {
  if (modules.length === 0) return [];
  const message = `${file} ${verb} ${modules.length} of the adapters: ${some(modules)}`;
  return [warning("LTX6310", message, "train with the `target_modules` that the file was trained with")];
}

function ofAlpha(file: string, adapters: readonly StoredAdapter[], { rank, alpha }: LoraScale): Finding[] {
  if (alpha === rank || adapters.every(({ scale }) => scale !== null)) return [];
  const message = `${file} does not say its alpha; it is taken as trained with this run's, so B counts ${alpha / rank} times`;
  const help = `right if the official trainer wrote it with alpha ${alpha}; to begin at the strength that other programs show, write \`lora.alpha: ${rank}\``;
  return [warning("LTX6368", message, help)];
}

function error(code: string, message: string, help: string): Finding {
  return { code, severity: "error", path: place, message, help };
}

function warning(code: string, message: string, help: string): Finding {
  return { ...error(code, message, help), severity: "warning" };
}
