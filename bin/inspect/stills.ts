/** Real frames under the masks: the sample's video, decoded by a video VAE. */
import { resolve } from "node:path";
import type { StrategyInfo } from "../../runtime/contract.ts";
import { openDecoder, openEngine, stillsOf, usualTiling, type HostSample } from "../../runtime/index.ts";
import { FindingsError } from "../../runtime/findings.ts";

/**
 * PNG files, one for each latent frame of the video that is trained on; none where the strategy has no video.
 * Errors: FindingsError, those of `openDecoder`, LTX6812 for latents with other channels.
 */
export async function stillsFor(
  { modalities }: StrategyInfo,
  { sources }: HostSample,
  vae: string,
  cwd: string,
): Promise<readonly Buffer[]> {
  const source = sources[modalities.video?.latents ?? ""];
  if (source?.kind !== "video_latents") return [];
  const { engine } = await openEngine("auto");
  const decoder = await openDecoder(engine, resolve(cwd, vae));
  try {
    const channels = source.latents.shape[0] ?? 0;
    if (channels === decoder.latentChannels)
      return (await stillsOf({ decoder, tiling: usualTiling }, source.latents)).map((still) => Buffer.from(still));
    const message = `the sample has latents of ${channels} channels, and the VAE in ${vae} decodes ${decoder.latentChannels}`;
    const help = "name the VAE that the data was preprocessed with";
    throw new FindingsError([{ code: "LTX6812", severity: "error", path: [], message, help }]);
  } finally {
    decoder.dispose();
  }
}
