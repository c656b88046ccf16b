import type { ScaleFactors } from "../contract.ts";
import { fail, type Finding } from "../findings.ts";
import type { ConfigSection } from "./config-reader.ts";
import { isSection } from "./metadata.ts";

/** Of a video VAE that does not list its blocks. */
const usual: ScaleFactors = { time: 8, height: 32, width: 32 };

/**
 * Pixels (and pixel frames) per latent cell, from the `vae` section of a checkpoint's config: each compressing block halves its axes.
 * `file` and `path` say where the section came from. Errors: FindingsError LTX6208 for a section that can not be read.
 */
export function readScaleFactors(config: ConfigSection, file: string, path: Finding["path"]): ScaleFactors {
  const vae = config["vae"];
  const help = "name the file of the video VAE in `model.video_vae_path`";
  if (!isSection(vae))
    return fail("LTX6208", `${file} holds no video VAE, whose config gives the size of a latent cell`, help, path);
  const blocks = vae["encoder_blocks"] ?? vae["decoder_blocks"];
  if (blocks === undefined || blocks === null) return usual;
  const patch = vae["patch_size"] ?? 4;
  const names = blockNames(blocks);
  if (names === null || typeof patch !== "number" || !Number.isInteger(patch) || patch < 1) {
    return fail("LTX6208", `${file} describes its video VAE in a way that can not be read`, help, path);
  }
  return cellOf(names, patch);
}

/** The latent cell that an encoder makes, by the names of its blocks: each that compresses halves its axes. `patch`: pixels that it begins with. */
export function cellOf(blocks: readonly string[], patch: number): ScaleFactors {
  const doublings = (axis: string) =>
    blocks.filter((name) => name.startsWith(`compress_${axis}`) || name.startsWith("compress_all")).length;
  const space = patch * 2 ** doublings("space");
  return { time: 2 ** doublings("time"), height: space, width: space };
}

/** Of a list of [name, settings] pairs; null where it is none. */
function blockNames(blocks: unknown): readonly string[] | null {
  if (!Array.isArray(blocks)) return null;
  const names: unknown[] = blocks.map((block: unknown) => (Array.isArray(block) ? block[0] : null));
  return names.every((name) => typeof name === "string") ? names : null;
}
