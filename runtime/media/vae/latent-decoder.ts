/** Latents to frames, by whichever decoder a file has: of convolutions, or the diffusion model of LTX-2.5. */
import type { HostTensor, ScaleFactors } from "../../contract.ts";
import type { Engine } from "../../engine/engine.ts";
import type { SafetensorsFile } from "../../files/safetensors/index.ts";
import type { Finding } from "../../findings.ts";
import { readConfigSections } from "../../model/metadata.ts";
import { normal } from "../../random/philox.ts";
import { decodeTiles } from "./decode-tiles.ts";
import { decodeEvenly } from "./diffusion/decode-tiles.ts";
import { examineDiffusion, isDiffusionDecoder, loadDiffusion } from "./diffusion/load.ts";
import type { ClipNoise } from "./diffusion/decode-clip.ts";
import type { Tiling } from "./tiles.ts";
import { examineDecoder, loadDecoder } from "./video-vae.ts";

interface Latents {
  /** Of the latents that it decodes. */
  readonly latentChannels: number;
  readonly scaleFactors: ScaleFactors;
}

export interface LatentDecoder extends Latents {
  /**
   * The frames of a latent `[C, f, h, w]` in order, a few at a time: each `[3, H, W]` in about -1..1. Memory does not depend on the number of
   * frames. A diffusion decoder that is given a picture that fits into one tile computes as for the whole clip, whose frames are never cut then.
   */
  frames(latent: HostTensor, tiling: Tiling): AsyncGenerator<Float32Array[]>;
  dispose(): void;
}

/**
 * Looks whether a file has a decoder that can be used, without reading its weights.
 * @param place the setting that named the file
 * Errors: FindingsError LTX6204 to LTX6206, LTX6208, LTX6801, LTX6803.
 */
export function examineLatentDecoder(file: SafetensorsFile, place: Finding["path"] = []): Latents {
  const diffusion = diffusionOf(file, place);
  if (diffusion !== null) return diffusion;
  const { config, scaleFactors } = examineDecoder(file, place);
  return { latentChannels: config.latentChannels, scaleFactors };
}

/**
 * Loads the decoder of a file in the official layout.
 * @param seed of the noise that some decoders draw; with the same one, a latent always becomes the same frames
 * Errors: those of `examineLatentDecoder`.
 */
export async function loadLatentDecoder(
  engine: Engine,
  file: SafetensorsFile,
  { place = [], seed }: { readonly place?: Finding["path"]; readonly seed: number },
): Promise<LatentDecoder> {
  const diffusion = diffusionOf(file, place);
  if (diffusion !== null) {
    const decoder = await loadDiffusion(engine, file, diffusion);
    const noise = clipNoise(seed);
    return { ...decoder, frames: (latent, tiling) => decodeEvenly(decoder, latent, { tiling, noise }) };
  }
  const decoder = await loadDecoder(engine, file, { place, noise: (shape) => drawn(seed, 0, shape) });
  return { ...decoder, frames: (latent, tiling) => decodeTiles(decoder, latent, tiling) };
}

function diffusionOf(file: SafetensorsFile, place: Finding["path"]) {
  // Without a config the other decoder's own checks say what is there.
  if (file.metadata["config"] === undefined) return null;
  const sections = readConfigSections(file.metadata, file.path, place);
  return isDiffusionDecoder(file, sections["vae"]) ? examineDiffusion(file, sections, place) : null;
}

/** The same for each file and each tile: a decoder that draws noise gives the same picture whenever it is asked. */
function drawn(seed: number, frame: number, shape: readonly number[]): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: "float32", data: normal({ seed, step: frame, microBatch: 0, name: "decoder" }, size) };
}

/** Each frame has a stream of its own, so that its noise depends neither on the clip's length nor on the pieces it is decoded in. */
const clipNoise =
  (seed: number): ClipNoise =>
  ([channels = 0, , rows = 0, columns = 0]) =>
  (start, end) => {
    const [count, size] = [end - start, rows * columns];
    const data = new Float32Array(channels * count * size);
    for (let t = 0; t < count; t++) {
      const frame = drawn(seed, start + t, [channels, rows, columns]).data;
      for (let c = 0; c < channels; c++)
        data.set(frame.subarray(c * size, (c + 1) * size) as Float32Array, (c * count + t) * size);
    }
    return { shape: [channels, count, rows, columns], dtype: "float32", data };
  };
