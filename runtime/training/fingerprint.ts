/** What makes a resumed run the same run: compared with what the training state was saved with, so that nothing changes unnoticed. */
import { createHash } from "node:crypto";
import { rangesText } from "../block-ranges.ts";
import { askedFor, loraOf } from "../config/index.ts";
import type { RunConfig } from "../config/run-config.ts";
import type { StrategyInfo } from "../contract.ts";
import { changedCodes, changedFiles, type Contents } from "../data/contents.ts";
import type { Engine } from "../engine/engine.ts";
import type { Finding } from "../findings.ts";

/** The first four are named as in the official trainer's states, which have no others; states of earlier versions neither. */
export interface Fingerprint {
  readonly optimizer_type: string;
  readonly scheduler_type: string;
  readonly training_mode: string;
  readonly lora_rank: number | null;
  /** What `runtime.optimization` asks for; without it nothing. */
  readonly own_optimization?: Readonly<Record<string, unknown>>;
  readonly lora_alpha?: number | null;
  readonly target_modules?: readonly string[] | null;
  /** As ranges in order, where the adapters are in some of the blocks only. */
  readonly lora_blocks?: string;
  readonly seed?: number;
  readonly strategy?: string;
  /** Of the strategy's source. */
  readonly source_hash?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** How many samples there are to train on, and a hash of their names in order. */
  readonly samples?: number;
  readonly samples_hash?: string;
  /** `checkpointHash` of the base model. */
  readonly base_model?: string;
  /** The setting, where the frozen weights of the base model are quantized. */
  readonly quantization?: string;
  /** Where the file of the base model is in 8 bits itself: then no setting quantizes it. Not compared, since it follows from the model. */
  readonly base_stored?: "fp8";
  /** `checkpointHash` of the files of the strategy's networks, by name. */
  readonly networks?: Readonly<Record<string, string>>;
  /** What was in the files of the samples to train on. */
  readonly contents?: Contents;
  /** Of the samples that are held out for evaluation: no step follows from them, but the evaluation's curve does. */
  readonly held_out?: HeldOut;
  /** Of the files by which samples are drawn, a code for each setting that names one. */
  readonly drawn?: Readonly<Record<string, string>>;
  /** What computed the steps; a run may go on with another engine, but then not bit for bit as if it had never stopped. */
  readonly computed_by?: ComputedBy;
}

/** An engine, as far as the bits of its results depend on it. */
export interface ComputedBy {
  readonly engine: string;
  /** Null for engines that compute with one thing only. */
  readonly provider: string | null;
  readonly precision: string;
}

/** What `engine` writes into the fingerprints of its runs. */
export function computedBy({ name, provider, precision }: Pick<Engine, "name" | "provider" | "precision">): ComputedBy {
  return { engine: name, provider: provider ?? null, precision: precision ?? "float32" };
}

/** The engine that a state was computed by, where `now` is another one; null where it is the same, or where the state does not tell. */
export function otherEngine({ computed_by: before }: Fingerprint, now: ComputedBy): ComputedBy | null {
  if (typeof before?.engine !== "string" || typeof before.precision !== "string") return null;
  const isSame = (["engine", "provider", "precision"] as const).every((key) => (before[key] ?? null) === now[key]);
  return isSame ? null : before;
}

interface HeldOut {
  readonly names_hash: string;
  readonly contents: Contents;
}

interface Fingerprinted {
  readonly config: RunConfig;
  readonly strategy: StrategyInfo;
  readonly params: Readonly<Record<string, unknown>>;
  /** Names of the samples to train on, in order. */
  readonly samples: readonly string[];
  /** `checkpointHash` of the base model, where there is a file of it. */
  readonly baseModel?: string;
  /** Whether the file of the base model is in 8 bits; false if not given. */
  readonly isFp8?: boolean;
  /** `checkpointHash` of the files of the strategy's networks, by name. */
  readonly networks?: Readonly<Record<string, string>>;
  /** Of the samples' files, where they were looked at. */
  readonly contents?: Contents;
  /** Of the samples to evaluate with, where there are any and their files were looked at. */
  readonly heldOut?: { readonly names: readonly string[]; readonly contents: Contents };
  /** Of the files by which samples are drawn, by setting. */
  readonly drawn?: Readonly<Record<string, string>>;
}

export function fingerprintOf(of: Fingerprinted): Fingerprint {
  const {
    config,
    strategy,
    params,
    samples,
    baseModel,
    isFp8 = false,
    networks = {},
    contents,
    heldOut,
    drawn = {},
  } = of;
  const { optimization, model, seed } = config;
  const { quantization } = config.acceleration;
  const lora = loraOf(config);
  // No step follows from what is evaluated.
  const { evaluate_ema: _evaluated, ...own } = askedFor(config.runtime);
  return {
    optimizer_type: optimization.optimizer_type,
    scheduler_type: optimization.scheduler_type,
    training_mode: model.training_mode,
    lora_rank: lora?.rank ?? null,
    ...(Object.keys(own).length === 0 ? {} : { own_optimization: own }),
    lora_alpha: lora?.alpha ?? null,
    target_modules: lora?.target_modules.toSorted() ?? null,
    ...(lora?.blocks == null ? {} : { lora_blocks: rangesText(lora.blocks) }),
    seed,
    strategy: strategy.name,
    source_hash: strategy.sourceHash,
    params,
    samples: samples.length,
    samples_hash: hashOf(samples),
    ...(baseModel === undefined ? {} : { base_model: baseModel }),
    ...(quantization === null ? {} : { quantization }),
    ...(isFp8 ? { base_stored: "fp8" } : {}),
    ...(Object.keys(networks).length === 0 ? {} : { networks }),
    ...(contents === undefined ? {} : { contents }),
    ...(heldOut === undefined ? {} : { held_out: { names_hash: hashOf(heldOut.names), contents: heldOut.contents } }),
    ...(Object.keys(drawn).length === 0 ? {} : { drawn }),
  };
}

const hashOf = (names: readonly string[]): string => createHash("sha256").update(names.join("\n")).digest("hex");

/** Whether an evaluation gives other losses because its samples are others or have other files; what one of both does not tell counts as unchanged. */
export function evaluatesOthers({ held_out: before }: Fingerprint, { held_out: now }: Fingerprint): boolean {
  if (before === undefined || now === undefined) return false;
  return before.names_hash !== now.names_hash || changedFiles(before.contents, now.contents).length > 0;
}

/** The settings of samples to draw whose files have other contents. */
export const drawsByOthers = (before: Fingerprint, now: Fingerprint): readonly string[] =>
  changedCodes(before.drawn, now.drawn);

/** Something in which a run differs from the one that saved a state. */
export interface Change {
  /** The setting that it comes from. */
  readonly path: Finding["path"];
  readonly name: string;
  readonly before: string;
  readonly now: string;
  /** For files with other contents: which, by role and the sample's place. `before` and `now` say nothing more then. */
  readonly files?: readonly { readonly role: string; readonly sample: number }[];
}

const settings = {
  optimizer_type: ["optimization", "optimizer_type"],
  scheduler_type: ["optimization", "scheduler_type"],
  training_mode: ["model", "training_mode"],
  lora_rank: ["lora", "rank"],
  lora_alpha: ["lora", "alpha"],
  target_modules: ["lora", "target_modules"],
  seed: ["seed"],
  strategy: ["training_strategy", "name"],
} as const;

/** All changes from `before` to `now`; what the older one does not tell counts as unchanged. */
export function changes(before: Fingerprint, now: Fingerprint): readonly Change[] {
  const ofSettings = Object.entries(settings).map(([key, path]) => {
    const field = key as keyof typeof settings;
    return before[field] === undefined ? null : changeOf(path, `\`${path.join(".")}\``, before[field], now[field]);
  });
  const all = [
    ...ofSettings,
    ...ofOwnOptimization(before, now),
    ofBlocks(before, now),
    ...ofModel(before, now),
    ...ofStrategy(before, now),
    ...ofNetworks(before, now),
    ...ofData(before, now),
  ];
  return all.filter((change) => change !== null);
}

function changeOf(path: Finding["path"], name: string, before: unknown, now: unknown): Change | null {
  const [old, recent] = [JSON.stringify(before), JSON.stringify(now)];
  return old === recent ? null : { path, name, before: old ?? "not set", now: recent ?? "not set" };
}

/** States of versions that had no such section were saved without it. */
function ofOwnOptimization(
  { own_optimization: before = {} }: Fingerprint,
  { own_optimization: now = {} }: Fingerprint,
) {
  return Object.keys({ ...before, ...now }).map((key) => {
    const path = ["runtime", "optimization", key];
    return changeOf(path, `\`${path.join(".")}\``, before[key], now[key]);
  });
}

/** A state that tells the layers, but no blocks, had adapters in all of them. */
function ofBlocks(before: Fingerprint, now: Fingerprint): Change | null {
  if (before.target_modules === undefined) return null;
  const path = ["runtime", "lora", "blocks"];
  return changeOf(path, `\`${path.join(".")}\``, before.lora_blocks ?? null, now.lora_blocks ?? null);
}

const short = (hash: string | undefined): string | undefined => hash?.slice(0, 19);

function ofModel(before: Fingerprint, now: Fingerprint): readonly (Change | null)[] {
  if (before.base_model === undefined || now.base_model === undefined) return [];
  const path = ["acceleration", "quantization"];
  return [
    changeOf(["model", "model_path"], "the base model", short(before.base_model), short(now.base_model)),
    changeOf(path, `\`${path.join(".")}\``, before.quantization ?? null, now.quantization ?? null),
  ];
}

/** Of another strategy neither source nor params say anything more. */
function ofStrategy(before: Fingerprint, now: Fingerprint): readonly (Change | null)[] {
  if (before.source_hash === undefined || before.strategy !== now.strategy) return [];
  const source = `the source of \`${now.strategy}\``;
  const [old, recent] = [before.params ?? {}, now.params ?? {}];
  return [
    changeOf(settings.strategy, source, short(before.source_hash), short(now.source_hash)),
    ...Object.keys({ ...old, ...recent }).map((key) =>
      changeOf(["training_strategy", key], `\`training_strategy.${key}\``, old[key], recent[key]),
    ),
  ];
}

/** Of another source or strategy nothing more is said. */
function ofNetworks(
  { networks: before = {} }: Fingerprint,
  { networks: now = {} }: Fingerprint,
): readonly (Change | null)[] {
  return Object.keys(now).map((name) =>
    before[name] === undefined
      ? null
      : changeOf(
          ["runtime", "networks", name],
          `the file of the network \`${name}\``,
          short(before[name]),
          short(now[name]),
        ),
  );
}

function ofData(before: Fingerprint, now: Fingerprint): readonly (Change | null)[] {
  if (before.samples_hash === undefined) return [];
  if (before.samples_hash === now.samples_hash) {
    const files = changedFiles(before.contents ?? {}, now.contents ?? {});
    if (files.length === 0) return [];
    const all = (now.samples ?? 0) * Object.keys(now.contents ?? {}).length;
    const name = `${files.length} of the ${all} data files`;
    return [{ path: ["data", "preprocessed_data_root"], name, before: "", now: "", files }];
  }
  const isSameCount = before.samples === now.samples;
  return [
    {
      path: ["data", "preprocessed_data_root"],
      name: "the list of samples to train on",
      before: `${before.samples}`,
      now: isSameCount ? `${now.samples} others` : `${now.samples}`,
    },
  ];
}
