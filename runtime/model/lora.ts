import type { HostTensor, Tensor } from "../contract.ts";
import { bfloat16ToFloat32, float32ToBfloat16 } from "../files/number-formats.ts";
import type { Engine } from "../engine/engine.ts";
import { FindingsError, type Finding } from "../findings.ts";
import { hasBlock, rangesText, type BlockRanges } from "../block-ranges.ts";
import type { Parameter } from "./parameters.ts";
import type { Adapters } from "./module.ts";

interface LoraOptions {
  readonly rank: number;
  readonly alpha: number;
  readonly targetModules: readonly string[];
}

/** Low-rank adapters of a transformer: what the model reads and what the optimizer trains. */
interface LoraAdapters extends Adapters {
  /** One name per tensor: `transformer_blocks.0.attn1.to_k.lora_A.weight`, then its `lora_B.weight`, module by module. */
  readonly names: readonly string[];
  tensors(): readonly Tensor[];
  /** Takes over new values in the same order; the old ones stay the caller's to free. */
  replace(tensors: readonly Tensor[]): void;
  /** The adapters' inputs go through `dropout` from now on, in training; null: as they are. */
  setDropout(dropout: Dropout | null): void;
}

/** Zeroes a part of a layer's input and scales the rest, so that the mean stays. */
export type Dropout = (module: string, x: Tensor) => Tensor;

/** Uniform numbers in [0, 1), a function of the name alone. */
export type Uniform = (name: string, count: number) => Float32Array;

/** A linear layer that gets an adapter. */
interface Target {
  readonly module: string;
  /** What it computes for; adapters of a stream that a run does not feed stay as they are. */
  readonly stream: Parameter["stream"];
  readonly inputs: number;
  readonly outputs: number;
}

const place: Finding["path"] = ["lora", "target_modules"];

/** Which layers get adapters. */
interface Adapted {
  readonly target_modules: readonly string[];
  /** Of these only layers in such blocks; null or absent: wherever they are. */
  readonly blocks?: BlockRanges | null;
}

/**
 * The linear layers that a target list names, in the order of the layout: a layer is chosen when its name equals a target or ends
 * with `.` and the target, and it lies in a chosen block; none for an empty list. Errors: FindingsError LTX6210 when the list chooses nothing,
 * LTX6211 for a target that names a module that is not a linear layer, LTX6396 for blocks that the model does not have. A target without effect
 * beside others is a warning.
 */
export function matchTargets(
  layout: readonly Parameter[],
  { target_modules: targets, blocks = null }: Adapted,
): { readonly targets: readonly Target[]; readonly warnings: readonly Finding[] } {
  const ofBlocks = blocks === null ? [] : checkBlocks(blocks, blocksIn(layout));
  if (ofBlocks.length > 0) throw new FindingsError(ofBlocks);
  const linears = layout.flatMap(({ name, shape: [outputs = 0, inputs = 0], linear, stream }) =>
    linear !== null && name.endsWith(".weight") ? [{ module: linear, stream, inputs, outputs }] : [],
  );
  const isLinear = new Set(linears.map(({ module }) => module));
  const others = [...new Set(layout.flatMap(({ name }) => modulesAround(name)))].filter((name) => !isLinear.has(name));
  const isInBlock = ({ module }: Target) => blocks === null || hasBlock(blocks, blockOf(module) ?? -1);
  const inBlocks = linears.filter(isInBlock);
  const chosen = inBlocks.filter(({ module }) => targets.some((target) => names(target, module)));
  const findings = targets.flatMap((target, i) => {
    const path = [...place, i];
    if (others.some((module) => names(target, module))) return [notLinear(target, path)];
    const isFound = (layers: readonly Target[]) => layers.some(({ module }) => names(target, module));
    if (isFound(inBlocks)) return [];
    return [
      isFound(linears) && blocks !== null ? elsewhere(target, blocks, path) : unmatched(target, path, blocksIn(layout)),
    ];
  });
  if (targets.length === 0) return { targets: [], warnings: [] };
  const isError = chosen.length === 0 || findings.some(({ severity }) => severity === "error");
  if (isError) throw new FindingsError(findings.map((finding) => ({ ...finding, severity: "error" })));
  return { targets: chosen, warnings: findings };
}

/**
 * An error where the run feeds none of the streams that the chosen layers compute for, so that nothing would be trained: LTX6212. One for no
 * layers at all, unless the strategy trains tensors of its own: LTX6210. None otherwise.
 */
export function checkStreams(
  targets: readonly Target[],
  streams: { readonly video: boolean; readonly audio: boolean },
  { trainsOwn }: { readonly trainsOwn: boolean },
): Finding[] {
  if (targets.length === 0) return trainsOwn ? [] : [nothingTrained];
  const isFed = ({ stream }: Target) => (stream === "cross" ? streams.video && streams.audio : streams[stream]);
  if (targets.some(isFed)) return [];
  const fed = streams.video ? "video alone" : "audio alone";
  const message = `the strategy feeds ${fed} to the model, and \`target_modules\` chooses none of the layers that it runs through`;
  return [{ code: "LTX6212", severity: "error", path: place, message, help }];
}

/** The block that a module lies in; null outside of blocks. */
function blockOf(module: string): number | null {
  const [, block] = /^transformer_blocks\.(\d+)\./.exec(module) ?? [];
  return block === undefined ? null : Number(block);
}

/** How many blocks a model has. */
const blocksIn = (layout: readonly Parameter[]): number =>
  layout.reduce((most, { name }) => Math.max(most, (blockOf(name) ?? -1) + 1), 0);

function checkBlocks(ranges: BlockRanges, count: number): Finding[] {
  const beyond = ranges.filter(([, last]) => last >= count);
  if (beyond.length === 0) return [];
  const inside = ranges.flatMap(([first, last]) =>
    first < count ? [[first, Math.min(last, count - 1)] as const] : [],
  );
  const message = `the model has ${count} blocks, 0 to ${count - 1}, and \`${rangesText(beyond)}\` goes beyond them`;
  const help = `write ${inside.length === 0 ? `blocks from 0 to ${count - 1}` : `\`${rangesText(inside)}\``}`;
  return [{ code: "LTX6396", severity: "error", path: ["runtime", "lora", "blocks"], message, help }];
}

function elsewhere(target: string, blocks: BlockRanges, path: Finding["path"]): Finding {
  const message = `\`${target}\` names no layer in the blocks ${rangesText(blocks)} of this model, and only those get adapters`;
  return { code: "LTX6210", severity: "warning", path, message, help: "remove it, or change `runtime.lora.blocks`" };
}

function names(target: string, module: string): boolean {
  return module === target || module.endsWith(`.${target}`);
}

/** `a.b.c` lies in the modules `a` and `a.b`. */
function modulesAround(parameter: string): string[] {
  const parts = parameter.split(".").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("."));
}

/** Numbers of a single tensor: those of an array, and of what ONNX Runtime holds in one. */
const MOST_NUMBERS = 2 ** 29;

/** An error for adapters with which no engine can compute: LTX6250. */
export function checkRank(targets: readonly Target[], rank: number): Finding[] {
  const widest = targets.reduce((most, { inputs, outputs }) => Math.max(most, inputs, outputs), 0);
  if (widest * rank <= MOST_NUMBERS) return [];
  const message = `with rank ${rank} an adapter would have ${widest * rank} numbers, and no tensor can have more than ${MOST_NUMBERS}`;
  const advice = `write a rank that is smaller than the layers, which are up to ${widest} wide; 8 to 128 is usual`;
  return [{ code: "LTX6250", severity: "error", path: ["lora", "rank"], message, help: advice }];
}

const help = "write ends of layer names, for example to_q, to_k, to_v, to_out.0, ff.net.0.proj or attn1.to_k";

function notLinear(target: string, path: Finding["path"]): Finding {
  const message = `\`${target}\` is a part of the model, but no linear layer, and only those take adapters`;
  return { code: "LTX6211", severity: "error", path, message, help };
}

const nothingTrained: Finding = {
  code: "LTX6210",
  severity: "error",
  path: place,
  message: "`target_modules` is empty, so nothing would be trained",
  help: `${help}; without layers only strategies with heads or \`weights\` of their own train something`,
};

function unmatched(target: string, path: Finding["path"], blocks: number): Finding {
  const why = (blockOf(`${target}.`) ?? -1) < blocks ? "" : `, whose last block is ${blocks - 1}`;
  return {
    code: "LTX6210",
    severity: "warning",
    path,
    message: `\`${target}\` names no layer of this model${why}`,
    help,
  };
}

/**
 * New adapters: A uniform in +-1/sqrt(inputs), rounded to bfloat16, B zero, so that training starts from the unchanged model.
 * `uniform` is asked once per module. The caller frees `tensors()` at the end.
 */
export function createLora(
  engine: Engine,
  targets: readonly Target[],
  { rank, alpha }: Pick<LoraOptions, "rank" | "alpha">,
  uniform: Uniform,
): LoraAdapters {
  const tensors = targets.flatMap(({ module, inputs, outputs }) => [
    engine.keep(initialA(uniform(`lora.${module}`, rank * inputs), rank, inputs)),
    engine.zeros([outputs, rank]),
  ]);
  return adaptersOver(targets, tensors, alpha / rank);
}

function initialA(uniform: Float32Array, rank: number, inputs: number): HostTensor {
  const bound = 1 / Math.sqrt(inputs);
  const values = uniform.map((u) => (2 * u - 1) * bound);
  return { shape: [rank, inputs], dtype: "float32", data: bfloat16ToFloat32(float32ToBfloat16(values)) };
}

/** The names of the adapters' tensors, in their order. */
export const loraNames = (targets: readonly Pick<Target, "module">[]): readonly string[] =>
  targets.flatMap(({ module }) => [`${module}.lora_A.weight`, `${module}.lora_B.weight`]);

function adaptersOver(targets: readonly Target[], initial: readonly Tensor[], scale: number): LoraAdapters {
  const index = new Map(targets.map(({ module }, i) => [module, i]));
  let current = initial;
  let dropout: Dropout | null = null;
  return {
    names: loraNames(targets),
    tensors: () => current,
    replace: (tensors) => {
      current = tensors;
    },
    setDropout: (next) => {
      dropout = next;
    },
    get: (module) => {
      const i = index.get(module);
      const [a, b] = i === undefined ? [] : current.slice(2 * i, 2 * i + 2);
      if (a === undefined || b === undefined) return undefined;
      const drop = dropout;
      return drop === null ? { a, b, scale } : { a, b, scale, dropout: (x) => drop(module, x) };
    },
  };
}
