import type { HostTensor, Ops, OutputInfo, Tensor } from "../contract.ts";
import type { Finding } from "../findings.ts";
import type { Engine } from "../engine/engine.ts";
import type { StreamName, TransformerConfig } from "./config.ts";
import type { Uniform } from "./lora.ts";
import type { Tap } from "./transformer.ts";

type TapInfo = Extract<OutputInfo, { kind: "tap" }>;
type HeadInfo = Extract<OutputInfo, { kind: "linear" }>;

/** How many tokens of each modality are the target's; references stand in front of them. */
export type TargetTokens = Readonly<Record<StreamName, number>>;

/** A strategy's extra outputs of the model: streams after a block, and trainable linear heads on them. */
interface ModelOutputs {
  /** `outputs.<name>.weight` and `outputs.<name>.bias` of each head. */
  readonly names: readonly string[];
  tensors(): readonly Tensor[];
  /** Takes over new values in the same order; the old ones stay the caller's to free. */
  replace(tensors: readonly Tensor[]): void;
  /** For one forward pass of the transformer: what to show it, and what came out. */
  collect(targets: TargetTokens): { readonly tap: Tap; outputs(): Readonly<Record<string, Tensor>> };
}

interface Head {
  /** `[features, in]` */
  readonly weight: Tensor;
  /** `[features]` */
  readonly bias: Tensor;
}

const prefix = "outputs.";

/** Whether a trained tensor belongs to a head, by its name. */
export const isHead = (name: string): boolean => name.startsWith(prefix);

/** The names of the heads' tensors, in their order. */
export const headNames = (outputs: readonly OutputInfo[]): readonly string[] =>
  outputs.flatMap(({ kind, name }) => (kind === "linear" ? [`${prefix}${name}.weight`, `${prefix}${name}.bias`] : []));

/** The outputs of a run: blocks and features that parameters give, in place of their defaults. */
export function outputsWith<Info extends { readonly outputs: readonly OutputInfo[] }>(
  strategy: Info,
  params: Readonly<Record<string, unknown>>,
): Info {
  if (strategy.outputs.every(({ param }) => param === undefined)) return strategy;
  const outputs = strategy.outputs.map((output): OutputInfo => {
    const number = output.param === undefined ? undefined : params[output.param];
    if (typeof number !== "number") return output;
    return output.kind === "tap" ? { ...output, block: number } : { ...output, features: number };
  });
  return { ...strategy, outputs };
}

/** An error for each tap of a block that the model does not have: LTX6217. */
export function checkOutputs(outputs: readonly OutputInfo[], { layers }: TransformerConfig): Finding[] {
  const isBeyond = (block: number) => block >= layers || block < -layers;
  const beyond = outputs.filter((output): output is TapInfo => output.kind === "tap" && isBeyond(output.block));
  return beyond.map(({ name, block, param }) => {
    const message = `the output \`${name}\` taps block ${block}, but the model's blocks are 0 to ${layers - 1}`;
    const blocks = `a block up to ${layers - 1}, or from -1, the last, to -${layers}`;
    const help = param === undefined ? `write ${blocks}, in the strategy's \`outputs\`` : `give \`${param}\` ${blocks}`;
    return { code: "LTX6217", severity: "error", path: ["training_strategy", param ?? "name"], message, help };
  });
}

/**
 * Outputs with new heads, weight and bias uniform in +-1/sqrt(in) as torch.nn.Linear starts them.
 * `uniform` is asked once for each tensor. The caller frees `tensors()` at the end.
 */
export function createOutputs(
  engine: Engine,
  written: readonly OutputInfo[],
  config: TransformerConfig,
  uniform: Uniform,
): ModelOutputs {
  const infos = written.map((info) => fromFirst(info, config));
  const heads = infos.filter((info): info is HeadInfo => info.kind === "linear");
  const widths = widthsOf(infos, config);
  const parameters = heads.flatMap(({ name, input, features }) => {
    const inputs = widths.get(input) ?? 0;
    return [
      { name: `${prefix}${name}.weight`, shape: [features, inputs], inputs },
      { name: `${prefix}${name}.bias`, shape: [features], inputs },
    ];
  });
  let current: readonly Tensor[] = parameters.map(({ name, shape, inputs }) =>
    engine.keep(initial(uniform, name, shape, inputs)),
  );
  const head = (name: string): Head => {
    const i = heads.findIndex((info) => info.name === name);
    const [weight, bias] = current.slice(2 * i, 2 * i + 2);
    if (weight === undefined || bias === undefined) throw new Error(`the strategy has no head ${name}`);
    return { weight, bias };
  };
  return {
    names: headNames(infos),
    tensors: () => current,
    replace: (tensors) => {
      current = tensors;
    },
    collect: (targets) => collector(engine.ops, infos, targets, head),
  };
}

/** A tap with its block counted from the first, also where it is counted from the end. */
function fromFirst(info: OutputInfo, { layers }: TransformerConfig): OutputInfo {
  return info.kind === "tap" && info.block < 0 ? { ...info, block: layers + info.block } : info;
}

/** Of each output's last axis. */
function widthsOf(infos: readonly OutputInfo[], config: TransformerConfig): ReadonlyMap<string, number> {
  return new Map(
    infos.map((info) => [info.name, info.kind === "linear" ? info.features : (config[info.modality]?.width ?? 0)]),
  );
}

function initial(uniform: Uniform, name: string, shape: readonly number[], inputs: number): HostTensor {
  const bound = 1 / Math.sqrt(inputs);
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: "float32", data: uniform(name, count).map((u) => (2 * u - 1) * bound) };
}

/** Keeps the tapped streams' target tokens and nothing else. */
function collector(ops: Ops, infos: readonly OutputInfo[], targets: TargetTokens, head: (name: string) => Head) {
  const places = new Map<string, StreamName>();
  for (const info of infos) if (info.kind === "tap") places.set(placeOf(info), info.modality);
  const tapped = new Map<string, Tensor>();
  const tap: Tap = (place, value) => {
    const modality = places.get(place);
    if (modality !== undefined) tapped.set(place, ops.widen(lastTokens(ops, value, targets[modality])));
  };
  const outputs = () => {
    const made = new Map<string, Tensor>();
    for (const info of infos) {
      const input = info.kind === "tap" ? tapped.get(placeOf(info)) : made.get(info.input);
      if (input === undefined) throw new Error(`the model gave nothing for the output ${info.name}`);
      made.set(info.name, info.kind === "tap" ? input : ops.widen(applyHead(ops, info, head(info.name), input)));
    }
    return Object.fromEntries(made);
  };
  return { tap, outputs };
}

const placeOf = ({ modality, block }: TapInfo): string => `${modality}.block${block}`;

function applyHead(ops: Ops, { activation }: HeadInfo, { weight, bias }: Head, input: Tensor): Tensor {
  const x = ops.linear(input, weight, bias);
  switch (activation) {
    case "silu":
      return ops.silu(x);
    case "gelu":
      return ops.gelu(x);
    case "none":
      return x;
  }
}

/** The last `count` tokens of `[B, T, D]`. */
function lastTokens(ops: Ops, x: Tensor, count: number): Tensor {
  const [, tokens = 0] = x.shape;
  return tokens === count ? x : ops.slice(x, [0, tokens - count, 0], [-1, count, -1]);
}
