import { jsonText } from "../escape.ts";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeTextAtomically } from "../files/atomic.ts";
import { float32ToFloat16 } from "../files/number-formats.ts";
import { writeSafetensors, type OutputTensor, type SafetensorsDType } from "../files/safetensors/index.ts";
import { fail, type Finding } from "../findings.ts";
import { formatOf, type LoraFormat } from "./formats.ts";
import { peftFiles, peftFolder } from "./in-folder.ts";
import { openLora, readAdapters, type LoraFile, type StoredAdapter } from "./lora-file.ts";
import { alphaKeys, diffusersKey } from "./strength.ts";

/** Types that a LoRA can be written in. */
const dtypes = { bf16: "BF16", f16: "F16", f32: "F32" } as const satisfies Readonly<Record<string, SafetensorsDType>>;

export type LoraDType = keyof typeof dtypes;

interface ConvertOptions {
  readonly to: LoraFormat;
  /** Null: every tensor as it is stored, as far as it is one of these types; else as float32. */
  readonly dtype: LoraDType | null;
  /** Where it goes: a file, or for `peft` also a folder, whose files of an adapter are replaced. */
  readonly out: string;
}

export interface Converted {
  /** Whose names the file had. */
  readonly from: string;
  /** Layers with an adapter. */
  readonly layers: number;
  readonly ranks: readonly number[];
  /** What was written. */
  readonly files: readonly string[];
  readonly warnings: readonly Finding[];
}

/**
 * Writes a LoRA file in the format of another program, with the same strength there. One tensor is in memory at a time; a file is
 * written whole or not at all. For `peft`, `out` may be a folder or the `adapter_model.safetensors` in it: then its `adapter_config.json` is
 * written, too.
 * @throws FindingsError LTX6360, LTX6361, LTX6364, LTX6366, LTX6367 for files that are no sound LoRA of LTX-2, LTX618x and LTX619x for
 * files that cannot be read or written
 */
export async function convertLora(path: string, { to, dtype, out }: ConvertOptions): Promise<Converted> {
  const file = await openLora(path, { place: [] });
  try {
    const adapters = [...file.adapters.values()];
    // Before anything is written: NaN is worth nothing in any format.
    await readAdapters(file, adapters, [], () => undefined);
    const folder = to === "peft" ? peftFolder(out) : null;
    const weights = folder === null ? out : join(folder, peftFiles.weights);
    const config = folder === null ? null : join(folder, peftFiles.config);
    const type = dtype === null ? null : dtypes[dtype];
    // The config of another adapter must not be taken for that of these weights, should the second file not be written.
    if (config !== null) await rm(config, { force: true });
    await writeSafetensors(weights, tensorsOf(file, adapters, to, type), metadataOf(file, to));
    if (config !== null) await writeTextAtomically(config, `${jsonText(peftConfig(adapters), 2)}\n`);
    const files = [weights, ...(config === null ? [] : [config])];
    const ranks = [...new Set(adapters.map(({ rank }) => rank))].toSorted((a, b) => a - b);
    return { from: file.scheme, layers: adapters.length, ranks, files, warnings: file.warnings };
  } finally {
    await file.close();
  }
}

function tensorsOf(
  file: LoraFile,
  adapters: readonly StoredAdapter[],
  to: LoraFormat,
  dtype: SafetensorsDType | null,
): OutputTensor[] {
  const { alpha, base, down, up } = formatOf(to);
  const withAlphas =
    alpha === "always" || (alpha === "if-needed" && adapters.some((adapter) => scaleOf(adapter) !== 1));
  return adapters.flatMap((adapter) => {
    const { module, a, b, rank, inputs, outputs } = adapter;
    const factor = alpha === "in-B" ? scaleOf(adapter) : 1;
    const own = base(module);
    const tensors = [
      tensor(file, a, { name: `${own}.${down}`, shape: [rank, inputs] }, dtype, 1),
      tensor(file, b, { name: `${own}.${up}`, shape: [outputs, rank] }, dtype, factor),
    ];
    if (!withAlphas) return tensors;
    const data = Float32Array.of(scaleOf(adapter) * rank);
    return [...tensors, { name: `${own}.alpha`, shape: [], dtype: "F32", data } as const];
  });
}

/** Files that say nothing are taken as all loaders take them. */
const scaleOf = ({ scale }: StoredAdapter): number => scale ?? 1;

function tensor(
  { stored }: LoraFile,
  key: string,
  named: { readonly name: string; readonly shape: readonly number[] },
  wanted: SafetensorsDType | null,
  factor: number,
): OutputTensor {
  const own = stored.tensors.get(key)?.dtype ?? "F32";
  const known = Object.values<SafetensorsDType>(dtypes);
  const dtype = wanted ?? (known.includes(own) ? own : "F32");
  const data = async () => {
    if (dtype === own && factor === 1) return stored.read(key);
    const values = await stored.readFloat32(key);
    const scaled = factor === 1 ? values : values.map((value) => value * factor);
    return dtype === "F16" ? halves(key, scaled) : scaled;
  };
  return { ...named, dtype, data };
}

function halves(name: string, values: Float32Array): Uint8Array {
  if (values.every((value) => Math.abs(value) < 65520)) return new Uint8Array(float32ToFloat16(values).buffer);
  return fail("LTX6361", `${name} has numbers that float16 cannot hold`, "convert it with `--dtype bf16` or `f32`");
}

/** What a training or a program says of the very tensors, or of the alpha, is not true of the new file. */
const untrue: readonly string[] = [
  ...alphaKeys,
  diffusersKey,
  "ss_network_alpha",
  "sshs_model_hash",
  "sshs_legacy_hash",
];

/** The file's own metadata as far as they stay true. `ltxc.converted_from` says that the file needs no further alpha. */
function metadataOf({ metadata, scheme, path }: LoraFile, to: LoraFormat): Readonly<Record<string, string>> {
  const kept = Object.entries(metadata).filter(([key]) => !untrue.includes(key));
  const format = to === "diffusers" || to === "peft" ? { format: "pt" } : {};
  return { ...format, ...Object.fromEntries(kept), "ltxc.converted_from": `${scheme} ${basename(path)}` };
}

/** What PEFT needs to know of an adapter. The scale is in B, so alpha is the rank; layers of another rank are listed. */
function peftConfig(adapters: readonly StoredAdapter[]) {
  const counts = new Map<number, number>();
  for (const { rank } of adapters) counts.set(rank, (counts.get(rank) ?? 0) + 1);
  const [common = 1] = [...counts].toSorted((a, b) => b[1] - a[1])[0] ?? [];
  const others = adapters.filter(({ rank }) => rank !== common).map(({ module, rank }) => [module, rank] as const);
  return {
    peft_type: "LORA",
    task_type: null,
    base_model_name_or_path: null,
    inference_mode: true,
    r: common,
    lora_alpha: common,
    rank_pattern: Object.fromEntries(others),
    alpha_pattern: Object.fromEntries(others),
    lora_dropout: 0,
    bias: "none",
    fan_in_fan_out: false,
    init_lora_weights: true,
    use_rslora: false,
    use_dora: false,
    modules_to_save: null,
    target_modules: adapters.map(({ module }) => module),
  };
}
