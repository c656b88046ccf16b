/** What both sides of the comparison read: a checkpoint and the inputs of a step, as safetensors. */
import { join } from "node:path";
import type { HostTensor, Ops, Tensor } from "../../runtime/contract.ts";
import { writeSafetensors, type OutputTensor } from "../../runtime/files/safetensors/index.ts";
import type { StreamName } from "../../runtime/model/config.ts";
import { transformerLayout } from "../../runtime/model/parameters.ts";
import { matchTargets } from "../../runtime/model/lora.ts";
import { createPositions } from "../../runtime/model/positions.ts";
import { createRopeCache } from "../../runtime/model/rope-cache.ts";
import { normal as standardNormal } from "../../runtime/random/philox.ts";
import { channels, configOf, rank, targets, textTokens, type Size } from "./sizes.ts";

export const modelFile = (folder: string) => join(folder, "model.safetensors");
export const inputFile = (folder: string) => join(folder, "inputs.safetensors");

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Draws normal numbers of this standard deviation; 1 if it is left away. */
type Normal = (name: string, shape: readonly number[], scale?: number) => Float32Array;

const normalOf =
  (seed: number): Normal =>
  (name, shape, scale = 1) =>
    standardNormal({ seed, step: 0, microBatch: 0, name }, size(shape)).map((x) => x * scale);

/** Weights at which activations neither vanish nor grow. */
function weight(normal: Normal, name: string, shape: readonly number[]): Float32Array {
  if (name.endsWith("norm.weight")) return normal(name, shape, 0.1).map((x) => 1 + x);
  return normal(name, shape, shape.length === 2 ? 1 / Math.sqrt(shape[1] ?? 1) : 0.02);
}

export function positionsOf({ frames, audioTokens }: Size): Record<StreamName, HostTensor> {
  const positions = createPositions({ time: 8, height: 32, width: 32 });
  return { video: positions.video({ frames, height: 8, width: 8 }, [24]), audio: positions.audio(audioTokens, 1) };
}

/** @param seed of all weights, latents and noise */
export async function writeFiles(folder: string, model: Size, seed = 1): Promise<void> {
  const normal = normalOf(seed);
  const layout = transformerLayout(configOf(model));
  const weights = layout.map(({ name, shape }): OutputTensor => ({
    name,
    shape,
    dtype: model.weights,
    data: async () => weight(normal, name, shape),
  }));
  await writeSafetensors(modelFile(folder), weights);
  await writeSafetensors(inputFile(folder), inputsOf(model, normal));
}

function inputsOf(model: Size, normal: Normal): OutputTensor[] {
  const config = configOf(model);
  const positions = positionsOf(model);
  const float = (name: string, shape: readonly number[], data: Float32Array): OutputTensor => ({
    name,
    shape,
    dtype: "F32",
    data,
  });
  const drawn = (name: string, shape: readonly number[], scale = 1) => float(name, shape, normal(name, shape, scale));
  const streams = (["video", "audio"] as const).flatMap((name) => {
    const tokens = positions[name].shape[2] ?? 0;
    return [
      ...["latent", "noise"].map((part) => drawn(`${name}.${part}`, [1, tokens, channels])),
      drawn(`${name}.context`, [1, textTokens, config[name]?.width ?? 0]),
    ];
  });
  // The tables are made on the host, in the same way for both sides.
  const asHost = { input: (_: string, value: HostTensor): Tensor => value } as unknown as Ops;
  const ropes = createRopeCache(config);
  const tables = (["video", "audio"] as const).flatMap((name) =>
    (["self", "cross"] as const).flatMap((kind) => {
      const { cos, sin } = ropes[kind](asHost, name, positions[name]) as unknown as {
        cos: HostTensor;
        sin: HostTensor;
      };
      const entries = Object.entries({ cos, sin });
      return entries.map(([part, x]) => float(`${name}.${kind}.${part}`, x.shape, x.data as Float32Array));
    }),
  );
  const adapters = matchTargets(transformerLayout(config), { target_modules: targets }).targets.flatMap(
    ({ module, inputs, outputs }) => [
      drawn(`${module}.lora_A.weight`, [rank, inputs], 1 / Math.sqrt(inputs)),
      drawn(`${module}.lora_B.weight`, [outputs, rank], 0.01),
    ],
  );
  return [...streams, ...tables, ...adapters];
}
