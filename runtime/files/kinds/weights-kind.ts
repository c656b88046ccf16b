import type { WeightsOutline } from "./weights-outline.ts";

/** What the tensors of a safetensors file are, by their names, dtypes and metadata. */
export type WeightsKind =
  | {
      readonly model: "ltx-2";
      /** What stands before the transformer's names. */
      readonly prefix: string;
      readonly hasConnectors: boolean;
      readonly hasConfig: boolean;
      /** As in "quantized to 4 bits (nvfp4)"; null for numbers that are read. */
      readonly quantized: string | null;
      /** LTX-2, LTX-2.3 or LTX-2.5, where the metadata say it. */
      readonly version: string | null;
    }
  /** The same model under the names of the library diffusers. */
  | { readonly model: "ltx-2-diffusers" }
  | { readonly model: "ltx-video" }
  | { readonly model: "lora" }
  /** `what`: as in "a video VAE". */
  | { readonly model: "part" | "other"; readonly what: string }
  | { readonly model: "none" };

/** What the transformer's tensors begin with: in published files, in those of ComfyUI and others, and in results of full trainings. */
const knownPrefixes: readonly string[] = ["model.diffusion_model.", "diffusion_model.", "transformer.", "model.", ""];

/** A tensor of every LTX transformer in the official layout. */
const everyTransformer = "patchify_proj.weight";

/** The prefix of the transformer's tensors among `names`; null where there is no transformer in the official layout. */
export function prefixIn(names: { has(name: string): boolean; keys(): Iterable<string> }): string | null {
  const byEnds = knownPrefixes.find((prefix) => names.has(prefix + everyTransformer));
  if (byEnds !== undefined) return byEnds;
  const all = [...names.keys()];
  const byBlocks = knownPrefixes.find((prefix) =>
    all.some((name) => name.startsWith(`${prefix}transformer_blocks.`) && officialName.test(name)),
  );
  const [other, ...more] = byBlocks === undefined ? otherPrefixes(all) : [];
  return byBlocks ?? (other !== undefined && more.length === 0 ? other : null);
}

/** Names that no other model has below its prefix. */
const ownName = /^(.+\.)(patchify_proj\.weight|transformer_blocks\.\d+\.audio_to_video_attn\..+)$/;

/** What else stands before a transformer's names: `net.`, `module.`, `_orig_mod.`, as training code wraps models. */
function otherPrefixes(names: readonly string[]): readonly string[] {
  return [...new Set(names.flatMap((name) => ownName.exec(name)?.[1] ?? []))];
}

/** Norms of queries and the gates are called otherwise in diffusers. */
const officialName = /transformer_blocks\.\d+\.(audio_)?(attn[12]|audio_to_video_attn)\.(q_norm|to_q)\./;

/** Ways of quantizing: what their tensors are called, or how they are stored. The first that fits counts. */
const quantizations: readonly (readonly [way: string, name: RegExp | null, dtype: RegExp | null])[] = [
  ["4 bits (nvfp4)", /\.weight_scale_2$|\.nvfp4/, /^F4$/],
  ["8 or 4 bits by bitsandbytes", /\.(absmax|quant_map|SCB|nested_absmax)$|\.quant_state\./, null],
  ["8 or 4 bits by quanto", /\.weight\._(data|scale|shift)(\.|$)/, null],
  ["8 or 4 bits by torchao", /(_weight_qdata|_weight_scale|_weight_zero_point|\.tensor_impl\b)/, null],
  ["4 bits by SVDQuant (Nunchaku)", /\.(wscales|smooth_factor|wcscales)$/, null],
  ["4 bits by GPTQ or AWQ", /\.(qweight|qzeros)$/, null],
  ["8 bits (fp8) with scales for parts of rows", /\.weight_scale_inv$/, null],
  // F8_E4M3 is read, with scales or without.
  ["8 bits (fp8, but not E4M3)", null, /^F8_(?!E4M3$)/],
  ["6 bits (mxfp6)", null, /^F6_/],
  ["8 bits (int8)", null, /^[IU]8$/],
];

function quantizationOf(prefix: string, { dtypes }: WeightsOutline): string | null {
  const own = [...dtypes]
    .filter(([name]) => !name.endsWith(".comfy_quant"))
    .filter(([name]) => name.startsWith(prefix) || prefix === "" || name.endsWith("scaled_fp8"));
  const uses = (name: RegExp | null, dtype: RegExp | null) =>
    own.some(([key, type]) => name?.test(key) === true || dtype?.test(type) === true);
  return quantizations.find(([, name, dtype]) => uses(name, dtype))?.[0] ?? null;
}

/** Other files of weights, by a name that each of them has. */
const others: readonly (readonly [name: RegExp, WeightsKind])[] = [
  [/\.(lora_[AB]|lora_(down|up))\b|^lora_(unet|te)|\.(lokr_w\d|hada_w\d|dora_scale)|\.lora\./, { model: "lora" }],
  [
    /^(vae\.)?(encoder|decoder)\.(conv_in|conv_out|down_blocks|up_blocks|mid_block)/,
    { model: "part", what: "a video VAE" },
  ],
  [/^(vae\.)?per_channel_statistics\./, { model: "part", what: "a video VAE" }],
  [/^audio_vae\./, { model: "part", what: "an audio VAE" }],
  [/^vocoder\./, { model: "part", what: "a vocoder" }],
  [
    /embeddings_connector\.|^text_embedding_projection\.|^(video|audio)_connector\./,
    { model: "part", what: "the connectors alone, without a transformer" },
  ],
  [/(^|\.)layers\.0\.self_attn\.|embed_tokens\.weight$/, { model: "part", what: "a text encoder" }],
  [/(^|\.)encoder\.block\.0\.layer\.0\./, { model: "part", what: "a text encoder (T5), which LTX-2 does not use" }],
  [/^(initial_conv|upsampler|post_upsample_res_blocks)\./, { model: "part", what: "a latent upscaler" }],
  [/(^|\.)double_blocks\.\d+\./, { model: "other", what: "a model of another family (FLUX or HunyuanVideo)" }],
  [/(^|\.)blocks\.\d+\.cross_attn\./, { model: "other", what: "a model of another family (Wan)" }],
  [/(^|\.)joint_blocks\.\d+\./, { model: "other", what: "a model of another family (Stable Diffusion 3)" }],
  [/(^|\.)input_blocks\.\d+\./, { model: "other", what: "a model of another family (Stable Diffusion)" }],
  [
    /(^|\.)transformer_blocks\.\d+\.(attn\.add_q_proj|img_mod)/,
    { model: "other", what: "a model of another family (Qwen-Image or FLUX)" },
  ],
];

/** Says what the outlined tensors are. */
export function weightsKindOf(outline: WeightsOutline): WeightsKind {
  const names = [...outline.dtypes.keys()];
  const sections = sectionsOf(outline);
  if (names.length === 0) return { model: "none" };
  if (names.some((name) => /(^|\.)audio_(proj_in|time_embed|norm_out)\./.test(name)))
    return { model: "ltx-2-diffusers" };
  if (names.some((name) => others[0]?.[0].test(name) === true)) return { model: "lora" };
  if (names.some(isDiffusers))
    return { model: hasAudio(names) || hasConnectors(names) ? "ltx-2-diffusers" : "ltx-video" };
  const prefix = prefixIn(outline.dtypes);
  if (prefix !== null)
    return isLtxVideo(names, sections, outline) ? { model: "ltx-video" } : ltx2Of(prefix, names, outline, sections);
  const several = otherPrefixes(names);
  if (several.length > 1)
    return {
      model: "other",
      what: `a file of several transformers (${several.map((one) => `\`${one}\``).join(", ")})`,
    };
  const known = others.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1];
  if (known !== undefined) return known;
  return sections === null
    ? {
        model: "other",
        what: `weights that ltxc does not know (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""})`,
      }
    : { model: "none" };
}

function ltx2Of(
  prefix: string,
  names: readonly string[],
  outline: WeightsOutline,
  sections: Sections | null,
): WeightsKind {
  return {
    model: "ltx-2",
    prefix,
    hasConnectors: hasConnectors(names),
    hasConfig: sections !== null,
    quantized: quantizationOf(prefix, outline),
    version: versionOf(outline.metadata["model_version"], sections),
  };
}

const hasAudio = (names: readonly string[]): boolean => names.some((name) => /(^|\.)audio_|video_to_audio/.test(name));
const hasConnectors = (names: readonly string[]): boolean =>
  names.some((name) => name.includes("embeddings_connector."));
const isDiffusers = (name: string): boolean =>
  /(^|\.)(time_embed\.|transformer_blocks\.\d+\.attn1\.norm_q\.)/.test(name);

type Sections = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Sections =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function sectionsOf({ metadata }: WeightsOutline): Sections | null {
  try {
    const value: unknown = JSON.parse(metadata["config"] ?? "null");
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** The older LTX-Video (0.9, 2B and 13B) has one stream, no connectors and captions of T5, 4096 wide. */
function isLtxVideo(names: readonly string[], sections: Sections | null, { metadata }: WeightsOutline): boolean {
  if (hasAudio(names) || hasConnectors(names)) return false;
  const transformer = isObject(sections?.["transformer"]) ? sections["transformer"] : {};
  const isOldClass = transformer["_class_name"] === "Transformer3DModel" || transformer["caption_channels"] === 4096;
  return (
    isOldClass ||
    (metadata["model_version"] ?? "").startsWith("0.") ||
    (names.some((name) => name.includes("caption_projection.")) && sections === null)
  );
}

function versionOf(written: string | undefined, sections: Sections | null): string | null {
  const [major, minor] = (written ?? "").replaceAll('"', "").split(".");
  if (major !== undefined && /^[2-9]$/.test(major))
    return `LTX-${major}${minor === undefined || minor === "0" ? "" : `.${minor}`}`;
  const transformer = sections?.["transformer"];
  return isObject(transformer) && transformer["caption_proj_before_connector"] !== true ? "LTX-2" : null;
}
