/** The tensors of a video VAE by its config: what a file of it holds. */
import type { ConfigSection } from "../../model/config-reader.ts";
import { isSection } from "../../model/metadata.ts";
import { readDecoderConfig, readEncoderConfig, type DecoderConfig } from "./config.ts";
import { readDiffusionConfig } from "./diffusion/config.ts";
import { parametersOf } from "./diffusion/parameters.ts";
import type { Parameter } from "./layers.ts";
import { decoderStages, encoderStages } from "./stages.ts";

function convolutional(config: DecoderConfig, fails: (what: string) => never): readonly Parameter[] {
  const own = decoderStages(config, fails).flatMap(({ parameters }) => parameters);
  return config.isTimestepConditioned ? [...own, { name: "timestep_scale_multiplier", shape: [] }] : own;
}

/**
 * Names and shapes of both halves and of the statistics, without a prefix.
 * @param vae the section `vae` of a checkpoint's config
 * Throws where the config is refused.
 */
export function vaeTensors(vae: ConfigSection): readonly Parameter[] {
  const sections = { vae };
  const source = { file: "a video VAE", place: [] };
  const fails = (what: string): never => {
    throw new Error(what);
  };
  const encoder = readEncoderConfig(sections, source);
  const decoder = isSection(vae["decoder"])
    ? parametersOf(readDiffusionConfig(sections, source))
    : convolutional(readDecoderConfig(sections, source), fails);
  const named = (half: string, list: readonly Parameter[]) =>
    list.map(({ name, shape }) => ({ name: `${half}.${name}`, shape }));
  const statistics = ["mean-of-means", "std-of-means"].map((name) => ({
    name: `per_channel_statistics.${name}`,
    shape: [encoder.latentChannels],
  }));
  return [
    ...encoderStages(encoder, fails).flatMap(({ parameters }) => named("encoder", parameters)),
    ...named("decoder", decoder),
    ...statistics,
  ];
}
