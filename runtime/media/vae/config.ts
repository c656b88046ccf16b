/**
 * The section `vae` of a checkpoint's config: how its video VAE is built. Files of the diffusion decoder keep the settings of the two halves
 * apart, in `vae.encoder` and `vae.decoder`; all others have one flat section.
 */
import { fail, FindingsError, type Finding } from "../../findings.ts";
import type { ConfigSection } from "../../model/config-reader.ts";
import { isSection } from "../../model/metadata.ts";
import { readBlocks, type Refuse, type VaeBlock } from "./blocks.ts";

/** How rows and columns go on at the edges. */
const paddings = ["zeros", "reflect", "replicate", "circular"] as const;
export type Padding = (typeof paddings)[number];

export interface EncoderConfig {
  readonly blocks: readonly VaeBlock[];
  /** Pixel channels; channels of a latent, which are also the first width of the encoder. */
  readonly inChannels: number;
  readonly latentChannels: number;
  readonly patchSize: number;
  /** Channels that follow the latent's in the last layer and are thrown away. */
  readonly extraChannels: number;
  readonly padding: Padding;
}

export interface DecoderConfig {
  readonly blocks: readonly VaeBlock[];
  readonly outChannels: number;
  readonly latentChannels: number;
  readonly patchSize: number;
  /** The width after all upsampling. */
  readonly baseChannels: number;
  readonly isCausal: boolean;
  readonly isTimestepConditioned: boolean;
  readonly padding: Padding;
}

/** Where a config comes from: the file, and the setting that named it. */
interface Source {
  readonly file: string;
  readonly place: Finding["path"];
}

/**
 * The encoder's half. Errors: FindingsError LTX6204 without the section, LTX6801 with all that can not be used.
 */
export function readEncoderConfig(sections: ConfigSection, source: Source): EncoderConfig {
  const vae = sectionOf(sections, source);
  const nested = isSection(vae["encoder"]) ? vae["encoder"] : null;
  const reader = createReader(nested ?? vae, source);
  reader.common();
  const latentChannels = nested?.["out_channels"] ?? vae["latent_channels"] ?? 128;
  const config: EncoderConfig = {
    blocks: readBlocks(
      (nested?.["blocks"] ?? (nested ?? vae)["encoder_blocks"] ?? []) as unknown,
      "encoder",
      reader.refuse,
    ),
    inChannels: reader.count("in_channels", 3),
    latentChannels: reader.count("latent_channels", 128, latentChannels),
    patchSize: reader.count("patch_size", 4),
    extraChannels: 0,
    // The flat section's own setting wins over the one for the encoder alone, as in the official code.
    padding: reader.choice(
      "spatial_padding_mode",
      paddings,
      (nested ?? vae)["spatial_padding_mode"] ?? vae["encoder_spatial_padding_mode"] ?? "zeros",
    ),
  };
  const variance = reader.choice("latent_log_var", ["uniform", "constant", "per_channel"], undefined, "uniform");
  reader.finish();
  return { ...config, extraChannels: variance === "per_channel" ? config.latentChannels : 1 };
}

/**
 * The convolutional decoder's half. Errors: FindingsError LTX6204 without the section, LTX6801 with all that can not be used, LTX6802 for a
 * diffusion decoder.
 */
export function readDecoderConfig(sections: ConfigSection, source: Source): DecoderConfig {
  const vae = sectionOf(sections, source);
  const className = vae["_class_name"] ?? "CausalVideoAutoencoder";
  if (className !== "CausalVideoAutoencoder") {
    const help = "name the file of the convolutional VAE, such as ltx-2.5-video-vae-conv: it decodes the same latents";
    const what = `the decoder in ${source.file} is a diffusion model (${JSON.stringify(className)}), where a convolutional one is needed`;
    return fail("LTX6802", what, help, source.place);
  }
  const reader = createReader(vae, source);
  reader.common();
  const config: DecoderConfig = {
    blocks: readBlocks(vae["decoder_blocks"] ?? [], "decoder", reader.refuse),
    outChannels: reader.count("out_channels", 3),
    latentChannels: reader.count("latent_channels", 128),
    patchSize: reader.count("patch_size", 4),
    baseChannels: reader.count("decoder_base_channels", 128),
    isCausal: reader.flag("causal_decoder", false),
    isTimestepConditioned: reader.flag("timestep_conditioning", true),
    padding: reader.choice("spatial_padding_mode", paddings, undefined, "reflect"),
  };
  reader.finish();
  return config;
}

/** The section. Errors: FindingsError LTX6204 without it. */
export function sectionOf(sections: ConfigSection, { file, place }: Source): ConfigSection {
  const vae = sections["vae"];
  if (isSection(vae)) return vae;
  const help = "name the whole checkpoint, or the file of the video VAE as it was published";
  return fail(
    "LTX6204",
    `the config in ${file} has no section \`vae\`, which says how its video VAE is built`,
    help,
    place,
  );
}

/** Reads values of a section, and collects what is wrong with them until `finish`, which throws LTX6801. */
export function createReader(section: ConfigSection, { file, place }: Source) {
  const wrong: string[] = [];
  const refuse: Refuse = (what) => void wrong.push(what);
  const valueOf = (key: string, given: unknown) => given ?? section[key] ?? null;
  return {
    refuse,
    count(key: string, fallback: number, given?: unknown): number {
      const value = valueOf(key, given) ?? fallback;
      if (typeof value === "number" && Number.isInteger(value) && value > 0 && value <= MOST) return value;
      refuse(`${key} is ${JSON.stringify(value)}, expected a whole number from 1 to ${MOST}`);
      return fallback;
    },
    flag(key: string, fallback: boolean): boolean {
      const value = section[key] ?? fallback;
      if (typeof value === "boolean") return value;
      if (value === 0 || value === 1) return value === 1;
      refuse(`${key} is ${JSON.stringify(value)}, expected true or false`);
      return fallback;
    },
    choice<T extends string>(key: string, choices: readonly T[], given: unknown, fallback: T = choices[0] as T): T {
      const value = valueOf(key, given) ?? fallback;
      const found = choices.find((choice) => choice === value);
      if (found === undefined) refuse(`${key} is ${JSON.stringify(value)}, expected ${choices.join(", ")}`);
      return found ?? fallback;
    },
    /** What both halves have one value for in every published file. */
    common() {
      if ((section["dims"] ?? 3) !== 3) refuse(`dims is ${JSON.stringify(section["dims"])}, expected 3`);
      const norm = section["norm_layer"] ?? "pixel_norm";
      if (norm !== "pixel_norm") refuse(`norm_layer is ${JSON.stringify(norm)}, expected "pixel_norm"`);
    },
    finish() {
      if (wrong.length === 0) return;
      const help =
        "name a video VAE of LTX-2 as it was published; its file was damaged, written by hand, or made for another model";
      const findings = wrong.map((what) => ({
        code: "LTX6801",
        severity: "error" as const,
        path: place,
        message: `in the video VAE's config in ${file}, ${what}`,
        help,
      }));
      throw new FindingsError(findings);
    },
  };
}

/** Far above all sizes of real files, and low enough for products of them. */
const MOST = 1 << 20;
