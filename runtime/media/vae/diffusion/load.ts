/** The diffusion decoder of a file: whether it can be used, and its weights on an engine. */
import type { HostTensor, ScaleFactors, Tensor } from "../../../contract.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { SafetensorsFile } from "../../../files/safetensors/index.ts";
import { fail, type Finding } from "../../../findings.ts";
import type { ConfigSection } from "../../../model/config-reader.ts";
import { checkParts, loadPart, refuse, type Part } from "../../../model/weights.ts";
import type { Parameter } from "../layers.ts";
import { mean, prefixes, spread } from "../statistics.ts";
import { readDiffusionConfig, type DiffusionConfig } from "./config.ts";
import { decodeClip, type ClipDecoding } from "./decode-clip.ts";
import { diffusionBlocks, gateParameters, gates, parametersOf } from "./parameters.ts";

const factors: ScaleFactors = { time: 8, height: 32, width: 32 };

/** What is known of the decoder before its weights are read. */
interface DiffusionPlan {
  readonly config: DiffusionConfig;
  readonly latentChannels: number;
  readonly scaleFactors: ScaleFactors;
  readonly parts: readonly Part[];
}

export interface DiffusionDecoder {
  readonly latentChannels: number;
  readonly scaleFactors: ScaleFactors;
  /** The frames of a latent `[C, f, h, w]` in order, a few at a time: each `[3, H, W]` in about -1..1. */
  frames(latent: HostTensor, decoding: ClipDecoding): AsyncGenerator<Float32Array[]>;
  dispose(): void;
}

/**
 * Whether the decoder of a file is the diffusion model: its tensors tell, and where it has none of a decoder, the class that its config names.
 */
export function isDiffusionDecoder({ tensors }: SafetensorsFile, vae: unknown): boolean {
  const has = (name: string) => prefixes.some((prefix) => tensors.has(`${prefix}decoder.${name}`));
  if (has("conv_in_x_t.weight")) return true;
  if (has("conv_in.conv.weight")) return false;
  const name = (vae as ConfigSection | null | undefined)?.["_class_name"] ?? usualClass;
  return name !== usualClass;
}

/** Of all VAEs whose decoder is convolutional. */
const usualClass = "CausalVideoAutoencoder";

/** Errors: FindingsError LTX6204 to LTX6206, LTX6801, LTX6803. */
export function examineDiffusion(
  file: SafetensorsFile,
  sections: ConfigSection,
  place: Finding["path"],
): DiffusionPlan {
  const prefix = prefixes.find((each) => file.tensors.has(`${each}decoder.conv_in.weight`));
  if (prefix === undefined) {
    const help = "name the whole checkpoint, or the file of the video VAE with both of its halves";
    return fail("LTX6803", `${file.path} holds no decoder of a video VAE`, help, place);
  }
  const config = readDiffusionConfig(sections, { file: file.path, place });
  const named = (list: readonly Parameter[]): Part["parameters"] =>
    list.map(({ name, shape }) => ({ name, shape, stream: "video", linear: null }));
  const gated = gateParameters(config);
  const statistics = [mean, spread].map((name) => ({ name, shape: [config.latentChannels] }));
  const parts: Part[] = [
    { prefix: `${prefix}decoder.`, parameters: named([...parametersOf(config), ...gated]) },
    { prefix, parameters: named(statistics) },
  ];
  refuse(checkParts(file, parts, new Set(gated.map(({ name }) => name)), place));
  return { config, latentChannels: config.latentChannels, scaleFactors: factors, parts };
}

/** Loads the decoder. Errors: those of `examineDiffusion`. */
export async function loadDiffusion(
  engine: Engine,
  file: SafetensorsFile,
  { config, latentChannels, scaleFactors, parts }: DiffusionPlan,
): Promise<DiffusionDecoder> {
  const weights = new Map<string, Tensor>();
  const dispose = () => engine.dispose(...weights.values());
  try {
    for (const part of parts)
      for (const [name, tensor] of await loadPart(engine, file, part)) weights.set(name, tensor);
    foldGates(engine, config, weights);
  } catch (error) {
    dispose();
    throw error;
  }
  const network = { engine, config, weights };
  return { latentChannels, scaleFactors, frames: (latent, decoding) => decodeClip(network, latent, decoding), dispose };
}

/** Gates multiply what a layer gives, which is as well done to its weight and bias. */
function foldGates(engine: Engine, config: DiffusionConfig, weights: Map<string, Tensor>): void {
  const { ops } = engine;
  for (const at of diffusionBlocks(config)) {
    for (const [name, layer] of gates) {
      const gate = weights.get(`${at}.${name}`);
      if (gate === undefined) continue;
      for (const kind of ["weight", "bias"]) {
        const before = weights.get(`${at}.${layer}.${kind}`);
        if (before === undefined) continue;
        const shape = before.shape.map((size, axis) => (axis === 0 ? size : 1));
        weights.set(
          `${at}.${layer}.${kind}`,
          engine.tidy(() => ops.mul(before, ops.reshape(gate, shape))),
        );
        engine.dispose(before);
      }
      weights.delete(`${at}.${name}`);
      engine.dispose(gate);
    }
  }
}
