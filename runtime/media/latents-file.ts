/** Video latents as the official preprocessing stores them. */
import type { HostTensor } from "../contract.ts";
import { writePt } from "../files/pt/index.ts";
import { writeSafetensors } from "../files/safetensors/index.ts";

/** Latents `[C, f, h, w]`, and frames per second of the video. */
export interface VideoLatents {
  readonly latents: HostTensor;
  readonly fps: number;
}

/**
 * Writes a `.pt` file, or a `.safetensors` file with the tensor `latents` if the path ends so; in bfloat16, with the sizes in latent cells.
 * Errors: FindingsError LTX6190, LTX6191.
 */
export async function writeLatents(path: string, { latents, fps }: VideoLatents): Promise<void> {
  const values = latents.data as Float32Array;
  const { shape } = latents;
  const [, num_frames = 0, height = 0, width = 0] = shape;
  if (path.endsWith(".safetensors")) {
    const metadata = { num_frames: `${num_frames}`, height: `${height}`, width: `${width}`, fps: `${fps}` };
    return writeSafetensors(path, [{ name: "latents", shape, dtype: "BF16", data: values }], metadata);
  }
  const tensor = { storage: "bfloat16", shape, values } as const;
  return writePt(path, { latents: tensor, num_frames, height, width, fps: { float: fps } });
}
