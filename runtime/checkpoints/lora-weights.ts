import type { HostTensor } from "../contract.ts";

/** Tensors by name, float32 on the host. */
export type NamedTensors = ReadonlyMap<string, HostTensor>;

export interface LoraScale {
  readonly rank: number;
  readonly alpha: number;
}

const PREFIX = "diffusion_model.";

/**
 * Adapters as the official trainer names them in its files. Official loaders compute W + strength · B A and know no alpha; others read
 * one from the metadata and scale by alpha / rank. So alpha / rank is multiplied into B, and the file has no alpha that a loader knows:
 * every loader computes the same weights. What they were trained with is in `ltxc.lora_rank` and `ltxc.lora_alpha`, which no other
 * program reads.
 */
export function toFile(tensors: NamedTensors, { rank, alpha }: LoraScale): NamedTensors {
  return new Map(Array.from(tensors, ([name, x]) => [PREFIX + name, isB(name) ? times(x, alpha / rank) : x] as const));
}

const isB = (name: string): boolean => name.endsWith(".lora_B.weight");

/** Every value times `factor`, each rounded to float32 once. */
export function times(x: HostTensor, factor: number): HostTensor {
  return factor === 1 ? x : { ...x, data: Float32Array.from(x.data, (value) => value * factor) };
}
