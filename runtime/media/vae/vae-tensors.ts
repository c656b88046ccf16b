/** The tensors of a video VAE by its config: what a file of it holds. */
import type { ConfigSection } from "../../model/config-reader.ts";
import { readDecoderConfig, readEncoderConfig } from "./config.ts";
import type { Parameter } from "./layers.ts";
import { decoderStages, encoderStages } from "./stages.ts";

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
  const [encoder, decoder] = [readEncoderConfig(sections, source), readDecoderConfig(sections, source)];
  const named = (half: string, list: readonly Parameter[]) =>
    list.map(({ name, shape }) => ({ name: `${half}.${name}`, shape }));
  const statistics = ["mean-of-means", "std-of-means"].map((name) => ({
    name: `per_channel_statistics.${name}`,
    shape: [encoder.latentChannels],
  }));
  return [
    ...encoderStages(encoder, fails).flatMap(({ parameters }) => named("encoder", parameters)),
    ...decoderStages(decoder, fails).flatMap(({ parameters }) => named("decoder", parameters)),
    ...(decoder.isTimestepConditioned ? [{ name: "decoder.timestep_scale_multiplier", shape: [] }] : []),
    ...statistics,
  ];
}
