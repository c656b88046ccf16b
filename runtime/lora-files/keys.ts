import { moduleNamed } from "./modules.ts";

/** What a tensor of a LoRA file is: A, B, or the scalar alpha of its module. */
export type Part = "a" | "b" | "alpha";

/**
 * A way to name the tensors of a LoRA: that of a family of programs.
 * `isWhole`: without a recorded alpha its loaders take alpha = rank, so that B holds the whole strength.
 */
export interface Scheme {
  readonly name: string;
  readonly isWhole: boolean;
}

type Key =
  | { readonly kind: "adapter"; readonly module: string; readonly part: Part; readonly scheme: Scheme }
  /** A method other than LoRA, or a part of one that LoRA lacks; `what` names it. */
  | { readonly kind: "other-method"; readonly what: string }
  /** Of a text encoder or another model around the transformer. */
  | { readonly kind: "other-model" }
  | { readonly kind: "unknown" };

/** Ends of keys, from PEFT and the official trainer, kohya's scripts, and older versions of diffusers. `.default` is an adapter's name. */
const parts: readonly (readonly [end: RegExp, part: Part, isWhole: boolean])[] = [
  [/\.lora_A\.weight$/, "a", false],
  [/\.lora_B\.weight$/, "b", false],
  [/\.lora_A\.[^.]+\.weight$/, "a", true],
  [/\.lora_B\.[^.]+\.weight$/, "b", true],
  [/\.lora_A$/, "a", false],
  [/\.lora_B$/, "b", false],
  [/(?:\.lora_down|[._]lora\.down|\.lora_linear_layer\.down)\.weight$/, "a", true],
  [/(?:\.lora_up|[._]lora\.up|\.lora_linear_layer\.up)\.weight$/, "b", true],
  [/(?:\.lora)?\.alpha$/, "alpha", false],
];

/** What other methods than LoRA leave in a file. */
const otherMethods: readonly (readonly [RegExp, string])[] = [
  [/\.(?:dora_scale|lora_magnitude_vector)\b/, "DoRA"],
  [/\.hada_/, "LoHa"],
  [/\.lokr_/, "LoKr"],
  [/\.(?:oft|boft)_/, "OFT"],
  [/\.(?:lora_mid|lora_t[12])\b/, "LoCon with a middle tensor"],
  [/\.[ab][12]\.weight$/, "GLoRA"],
  [/\.(?:vera|randlora)_lambda/, "VeRA"],
  [/\.(?:lora_[AB](?:\.[^.]+)?|lora_up|lora_down)\.bias$/, "LoRA with biases"],
  [/\.lora_embedding_[AB]/, "LoRA of an embedding"],
  [/\.(?:diff|diff_b|set_weight|w_norm|b_norm)$|\.modules_to_save\./, "changes of whole weights"],
];

const otherModels =
  /^(?:lora_te\d?_|text_encoders?[._]|text_encoder_\d\.|te\d?\.|conditioner\.|cond_stage_model\.|connectors\.|(?:video_|audio_)?(?:embeddings_)?connector\.|text_embedding_projection\.|(?:audio_)?vae\.|vocoder\.)/;

const official: Scheme = { name: "official", isWhole: false };
const peft: Scheme = { name: "peft", isWhole: false };
const bare: Scheme = { name: "bare", isWhole: false };

/** What comes before a module's name. A file may have several in a row; the first one names the scheme. */
const prefixes: readonly (readonly [prefix: string, scheme: Scheme])[] = [
  ["diffusion_model.", official],
  ["model.diffusion_model.", official],
  ["base_model.model.", peft],
  ["transformer.", { name: "diffusers", isWhole: true }],
  ["pipe.dit.", { name: "diffsynth", isWhole: true }],
  ["dit.", { name: "diffsynth", isWhole: true }],
  ["lora_unet_", { name: "kohya", isWhole: true }],
  ["lora_transformer_", { name: "kohya", isWhole: true }],
  ["lora_dit_", { name: "kohya", isWhole: true }],
  ["lycoris_", { name: "kohya", isWhole: true }],
  ["diffusion_model_", bare],
  ["transformer_", bare],
  ["module.", bare],
  ["model.", bare],
];

/**
 * Reads the name of a tensor in a LoRA file, whichever program wrote it.
 * @param own names of the model at hand, besides those of every LTX-2
 */
export function readKey(key: string, own?: ReadonlySet<string>): Key {
  const method = otherMethods.find(([pattern]) => pattern.test(key));
  if (method !== undefined) return { kind: "other-method", what: method[1] };
  const found = parts.find(([end]) => end.test(key));
  const base = found === undefined ? key : key.replace(found[0], "");
  const named = found === undefined ? null : resolve(base, own);
  if (found !== undefined && named !== null) {
    const [, part, isWhole] = found;
    const { module, scheme } = named;
    // PEFT's own loader does without an alpha nowhere: the config next to the file has it.
    return {
      kind: "adapter",
      module,
      part,
      scheme: { ...scheme, isWhole: scheme.isWhole || (isWhole && scheme !== peft) },
    };
  }
  return { kind: isOfOtherModel(key) ? "other-model" : "unknown" };
}

/** Takes prefixes away until a name is left that the model has. */
function resolve(base: string, own?: ReadonlySet<string>): { module: string; scheme: Scheme } | null {
  const module = moduleNamed(base, own);
  if (module !== null) return { module, scheme: bare };
  for (const [prefix, scheme] of prefixes) {
    if (!base.startsWith(prefix)) continue;
    const below = resolve(base.slice(prefix.length), own);
    if (below !== null) return { module: below.module, scheme };
  }
  return null;
}

/** The prefix may stand below another one: `diffusion_model.text_embedding_projection.…`. */
function isOfOtherModel(key: string): boolean {
  if (otherModels.test(key)) return true;
  const prefix = prefixes.find(([prefix]) => key.startsWith(prefix))?.[0];
  return prefix !== undefined && isOfOtherModel(key.slice(prefix.length));
}
