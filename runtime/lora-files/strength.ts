import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail, type Finding } from "../findings.ts";
import type { Scheme } from "./keys.ts";
import { diffusersModule } from "./modules.ts";

/** An adapter adds `scale` · B A to its layer's weights. */
interface Sized {
  readonly module: string;
  readonly rank: number;
}

/**
 * What a file says of its alphas, besides the `.alpha` tensors that single modules may have. Null: it says nothing, and neither does
 * the way its keys are named.
 */
export type ScaleOf = ((adapter: Sized) => number) | null;

/** Where PEFT and diffusers keep what an adapter was trained with. */
interface PeftConfig {
  readonly r?: unknown;
  readonly lora_alpha?: unknown;
  readonly alpha_pattern?: unknown;
  readonly use_rslora?: unknown;
  readonly use_dora?: unknown;
}

/**
 * The keys of a file's metadata by which loaders know alpha; sglang reads the first that is there and scales by alpha / rank, diffusers
 * reads the last, a PEFT config as JSON. ltxc writes none of them.
 */
export const alphaKeys = ["lora_alpha", "network_alpha", "alpha"] as const;
export const diffusersKey = "lora_adapter_metadata";

/** Whether ltxc wrote the file: B then holds the whole strength, also where an early version recorded alpha by another key. */
const isOurs = (metadata: Readonly<Record<string, string>>): boolean =>
  Object.keys(metadata).some((key) => key.startsWith("ltxc."));

/**
 * The scale of a file's adapters by its metadata, by the PEFT config next to it, or by the custom of the program that wrote it.
 * @throws FindingsError LTX6360 for DoRA, LTX6367 for what cannot be understood
 */
export async function scaleOf(
  path: string,
  metadata: Readonly<Record<string, string>>,
  scheme: Scheme,
  place: Finding["path"],
): Promise<ScaleOf> {
  if (isOurs(metadata)) return () => 1;
  const inside = metadata[diffusersKey];
  if (inside !== undefined) return byConfig(path, withoutPrefix(parsed(inside, path, place)), place);
  const key = alphaKeys.find((name) => metadata[name] !== undefined);
  if (key !== undefined) {
    const alpha = positive(metadata[key], `${path}: \`${key}\` in its metadata`, place);
    return ({ rank }) => alpha / rank;
  }
  const config = scheme.name === "peft" ? await configNextTo(path, place) : null;
  if (config !== null) return byConfig(config.path, config.value, place);
  return scheme.isWhole ? () => 1 : null;
}

async function configNextTo(path: string, place: Finding["path"]) {
  const config = join(dirname(path), "adapter_config.json");
  const text = await readFile(config, "utf8").catch(() => null);
  return text === null ? null : { path: config, value: parsed(text, config, place) };
}

function parsed(text: string, path: string, place: Finding["path"]): PeftConfig {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Reported below.
  }
  return fail("LTX6367", `${path}: its record of the LoRA's rank and alpha is no JSON object`, alphaHelp, place);
}

/** Diffusers writes `transformer.lora_alpha`, since a pipeline may hold several models. */
function withoutPrefix(config: PeftConfig): PeftConfig {
  const entries = Object.entries(config).map(([key, value]) => [key.replace(/^transformer\./, ""), value] as const);
  return Object.fromEntries(entries);
}

/** PEFT's rule: alpha / r, or alpha / sqrt(r); `alpha_pattern` has the alphas of single modules. */
function byConfig(path: string, config: PeftConfig, place: Finding["path"]): ScaleOf {
  if (config.use_dora === true) refuseDora(path, place);
  const patterns = Object.entries((config.alpha_pattern ?? {}) as object).map(
    ([name, value]) =>
      [plainPattern(name, path, place), positive(value, `${path}: \`alpha_pattern\` of ${name}`, place)] as const,
  );
  const common = config.lora_alpha ?? config.r;
  const alpha = common === undefined ? null : positive(common, `${path}: \`lora_alpha\``, place);
  return ({ module, rank }) => {
    const names = [module, diffusersModule(module)];
    const own = patterns.find(([end]) => names.some((name) => name === end || name.endsWith(`.${end}`)))?.[1];
    return (own ?? alpha ?? rank) / (config.use_rslora === true ? Math.sqrt(rank) : rank);
  };
}

/** PEFT takes regular expressions as well; those of a stranger's file are not run. */
function plainPattern(name: string, path: string, place: Finding["path"]): string {
  if (/^[\w.]+$/.test(name)) return name;
  return fail(
    "LTX6367",
    `${path}: \`alpha_pattern\` has the regular expression ${JSON.stringify(name)}`,
    alphaHelp,
    place,
  );
}

function refuseDora(path: string, place: Finding["path"]): never {
  const message = `${path}: \`use_dora\` is true, and ltxc trains LoRA without DoRA's magnitudes`;
  return fail("LTX6360", message, "take a LoRA without DoRA", place);
}

const alphaHelp =
  "write the file again with the program that made it, or take the record out if every alpha is the rank";

/** A number that may be written as text, as metadata hold it. */
function positive(value: unknown, what: string, place: Finding["path"]): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number) && number > 0) return number;
  return fail("LTX6367", `${what} is ${JSON.stringify(value)}, not a number above 0`, alphaHelp, place);
}
