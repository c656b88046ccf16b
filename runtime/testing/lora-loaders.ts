/**
 * What programs make of a LoRA file: the rules of their loaders in a few lines each. The result is what is added to each layer's weights
 * at strength 1, by the program's own name of the layer. Tests compare these.
 */
import type { HostTensor } from "../contract.ts";

interface LoraTensors {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** PEFT's adapter_config.json. */
  readonly config?: { readonly r: number; readonly lora_alpha: number };
}

/** B A, row-major, by layer. */
export type Deltas = ReadonlyMap<string, readonly number[]>;

type Loader = (file: LoraTensors) => Deltas;

interface Names {
  readonly prefix: string;
  readonly down: string;
  readonly up: string;
}

const peft = (prefix: string): Names => ({ prefix, down: ".lora_A.weight", up: ".lora_B.weight" });

/** `scale` is given a layer's name, its rank, and the file. */
function loader(
  { prefix, down, up }: Names,
  scale: (layer: string, rank: number, file: LoraTensors) => number,
): Loader {
  return (file) => {
    const entries = [...file.tensors].flatMap(([key, a]) => {
      if (!key.startsWith(prefix) || !key.endsWith(down)) return [];
      const layer = key.slice(prefix.length, -down.length);
      const b = file.tensors.get(prefix + layer + up);
      if (b === undefined) throw new Error(`no ${prefix}${layer}${up}`);
      return [[layer, product(a, b, scale(layer, a.shape[0] ?? 0, file))] as const];
    });
    return new Map(entries);
  };
}

/** scale · B A of A `[rank, inputs]` and B `[outputs, rank]`. */
export function product(a: HostTensor, b: HostTensor, scale: number): readonly number[] {
  const [rank = 0, inputs = 0] = a.shape;
  const [outputs = 0] = b.shape;
  return Array.from({ length: outputs * inputs }, (_, at) => {
    const [row, column] = [Math.floor(at / inputs), at % inputs];
    let sum = 0;
    for (let i = 0; i < rank; i++) sum += (b.data[row * rank + i] ?? NaN) * (a.data[i * inputs + column] ?? NaN);
    return scale * sum;
  });
}

const alphaTensor = ({ tensors }: LoraTensors, name: string): number | undefined =>
  tensors.get(`${name}.alpha`)?.data[0];

/** The metadata's alpha as sglang reads it. */
function alphaInMetadata({ metadata }: LoraTensors): number | undefined {
  const text = ["lora_alpha", "network_alpha", "alpha"].flatMap((key) => metadata[key] ?? [])[0];
  return text === undefined ? undefined : Number(text);
}

/** diffusers' record: a PEFT config as JSON, for each model of a pipeline. */
function diffusersAlpha({ metadata }: LoraTensors): number | undefined {
  const text = metadata["lora_adapter_metadata"];
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, number>)["transformer.lora_alpha"];
}

export const loaders = {
  /** ltx-core: strips `diffusion_model.`, computes strength · B A, and knows no alpha. */
  official: loader(peft("diffusion_model."), () => 1),
  /** ComfyUI: alpha / rank where the layer has a tensor `.alpha`, else 1. It ignores the metadata. */
  comfyui: loader(peft("diffusion_model."), (layer, rank, file) => {
    return (alphaTensor(file, `diffusion_model.${layer}`) ?? rank) / rank;
  }),
  /** sglang: the metadata's alpha, else the layer's tensor, else the rank. */
  sglang: loader(peft("diffusion_model."), (layer, rank, file) => {
    return (alphaInMetadata(file) ?? alphaTensor(file, `diffusion_model.${layer}`) ?? rank) / rank;
  }),
  /** diffusers: lora_alpha of its own record, else the rank. */
  diffusers: loader(peft("transformer."), (_, rank, file) => (diffusersAlpha(file) ?? rank) / rank),
  /** PEFT: lora_alpha of the config next to the file. */
  peft: loader(peft("base_model.model."), (_, rank, { config }) => (config?.lora_alpha ?? rank) / rank),
  /** kohya's scripts and musubi-tuner: the layer's tensor `.alpha`, else the rank. */
  kohya: loader(
    { prefix: "lora_unet_", down: ".lora_down.weight", up: ".lora_up.weight" },
    (layer, rank, file) => (alphaTensor(file, `lora_unet_${layer}`) ?? rank) / rank,
  ),
  /** DiffSynth: the adapter's name `default` in the keys, and no alpha. */
  diffsynth: loader({ prefix: "", down: ".lora_A.default.weight", up: ".lora_B.default.weight" }, () => 1),
} as const satisfies Readonly<Record<string, Loader>>;
