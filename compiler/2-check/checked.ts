/** What the check phase hands on: a strategy whose names, axes and masks are right. */
import type { Span } from "../source/span.ts";
import type { Core, ModalityName } from "./core.ts";

export type ParamType = "number" | "boolean" | "string" | "list";

export interface CheckedParam {
  readonly name: string;
  readonly type: ParamType;
  /** The JSON Schema fragment as written. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Of its name. */
  readonly span: Span;
}

export type SourceKind = "video_latents" | "audio_latents" | "text_embeddings" | "video_mask" | "audio_mask" | "tensor";

export interface CheckedSource {
  readonly name: string;
  readonly kind: SourceKind;
  /** With `${param}` as written; of a shared source, its file. */
  readonly directory: string;
  /** Whether `directory` is one file, whose value all samples share. */
  readonly shared: boolean;
  /** Whether samples may lack it. */
  readonly optional: boolean;
  readonly key: string | null;
  readonly axes: readonly string[] | null;
  /** Of a tensor: the smallest and the largest number that it may hold. */
  readonly range: readonly [number, number] | null;
  /** Of latents: the source whose grid they have. */
  readonly like: string | null;
  /** Of a tensor: heads and networks whose features meet its own. */
  readonly meets?: readonly string[];
  /** Of its name. */
  readonly span: Span;
}

/** A set of samples, of which every batch has its share. */
export interface CheckedDataset {
  readonly name: string;
  /** Below the data root, with `${param}` as written; null for that root itself. */
  readonly root: string | null;
  /** A number, or the name of a parameter; null for what the others leave. */
  readonly share: number | string | null;
  /** Sources that it does not have. */
  readonly without: readonly string[];
}

/** Weights that the model is called with: those that are trained, those of the base model, or the moving average of the trained ones. */
export type PassWeights = "trained" | "base" | "ema";

/** Another call of the model in the step. */
export interface CheckedPass {
  readonly name: string;
  readonly weights: PassWeights;
  /** Sources that it takes for latents, texts and references, and the step's own call does not, by modality. */
  readonly latents: Readonly<Partial<Record<ModalityName, string>>>;
  readonly texts: Readonly<Partial<Record<ModalityName, readonly string[]>>>;
  readonly references: Readonly<Partial<Record<ModalityName, readonly string[]>>>;
  readonly span: Span;
}

export interface CheckedModality {
  readonly name: ModalityName;
  /** Names of its sources. */
  readonly latents: string;
  /** Its text, of several the last. */
  readonly text: string;
  /** All of them, in the order in which they are drawn. */
  readonly texts: readonly string[];
  /** Of each text, the weights whose tokens stand in front of its own. */
  readonly inserted: readonly (readonly string[])[];
  readonly generated: boolean;
  /** Sources of its references, as the file lists them. */
  readonly references: readonly string[];
  /** Those of them that are noised. */
  readonly noisyReferences: readonly string[];
  /** Whether the file says which token attends to which. */
  readonly attention: boolean;
  readonly span: Span;
}

/** Fields of a modality that the model and the trainer get. */
export function fieldsForModel({
  name,
  texts,
  generated,
  references,
  attention,
}: {
  readonly name: ModalityName;
  readonly texts: readonly unknown[];
  readonly generated: boolean;
  readonly references: readonly unknown[];
  readonly attention: boolean;
}): readonly string[] {
  return [
    ...(generated ? ["sigma", "timesteps", "noisy", "target", "generated"] : ["clean", "sigma", "timesteps"]),
    ...texts.slice(0, -1).map((_, i) => `text[${i}]`),
    ...(references.length > 0 ? ["references"] : []),
    ...(attention ? ["attention"] : []),
    ...(name === "video" ? ["fps", "keyframes"] : []),
  ];
}

/** Keys of all that the model gets of a modality and of the references in front of it, `video.noisy` and `style.noisy`. */
export function keysForModel(
  modality: Parameters<typeof fieldsForModel>[0] & { readonly noisyReferences: readonly string[] },
): readonly string[] {
  return [
    ...fieldsForModel(modality).map((field) => `${modality.name}.${field}`),
    ...modality.noisyReferences.flatMap((source) => [`${source}.noisy`, `${source}.timesteps`]),
  ];
}

export interface Binding {
  /** `inpaint` of `let`, `video.keep` of a modality. */
  readonly key: string;
  readonly core: Core;
  /** Of what was written for it, null for a default. */
  readonly span: Span | null;
}

export interface CheckedLoss {
  readonly name: string;
  /** `f32[batch]` */
  readonly core: Core;
  /** Whose sigma its buckets go by. */
  readonly modality: ModalityName;
  /** Whether it compares the samples of a batch with one another. */
  readonly others: boolean;
  readonly span: Span;
}

/** What must be true everywhere on any batch, or so on average: it may read all that a loss may. */
export interface Expectation {
  readonly core: Core;
  /** Where a number is expected, not a mask: what its mean over many draws is about, and how far it may be off. Both are known before the run. */
  readonly share: { readonly about: Core; readonly within: Core | null } | null;
  readonly span: Span;
}

/** A loss term of which the file alone does not tell whether it covers kept tokens. */
export interface Undecided {
  readonly term: string;
  /** `bool[batch]`: whether it does. */
  readonly overlap: Core;
}

export type CheckedOutput = {
  readonly name: string;
  readonly modality: ModalityName;
  /** The parameter that gives the block or the features; the number here is then its default. */
  readonly param?: string;
} & (
  | { readonly kind: "tap"; readonly block: number }
  | {
      readonly kind: "linear";
      /** Name of the output that it reads. */
      readonly input: string;
      readonly features: number;
      readonly activation: "silu" | "gelu" | "none";
    }
);

/** Trained tokens `[tokens, hidden]` of the strategy's own, one tensor for each modality whose text they stand in. */
export interface CheckedWeight {
  readonly name: string;
  readonly modalities: readonly ModalityName[];
  readonly tokens: number;
  /** It begins with normal numbers of this standard deviation around `mean`. */
  readonly std: number;
  readonly mean: number;
}

/** A network whose weights are not trained, as the contract has it (`NetworkInfo`). */
export interface CheckedNetwork {
  readonly name: string;
  /** Null: the checkpoint of the run. */
  readonly from: string | null;
  readonly architecture: KnownArchitecture | readonly NetworkLayer[];
  readonly prefix: string;
  /** The most latent cells that it is given at once, by axis; null for all. */
  readonly window: NetworkWindow | null;
  /** What its argument has at each place, which says how wide that is. */
  readonly input: string;
}

export const knownArchitectures = ["ltx_video_decoder", "ltx_video_encoder"] as const;
export type KnownArchitecture = (typeof knownArchitectures)[number];

interface NetworkWindow {
  readonly frames?: number;
  readonly height?: number;
  readonly width?: number;
}

export const activations = ["relu", "gelu", "gelu_tanh", "silu", "tanh", "sigmoid"] as const;

export type NetworkLayer =
  | { readonly kind: "linear"; readonly features: number }
  /** 3D, with as many zeros around as keep the size. */
  | { readonly kind: "conv"; readonly features: number; readonly kernel: readonly [number, number, number] }
  | { readonly kind: "layer_norm" }
  | { readonly kind: (typeof activations)[number] };

export interface CheckedStrategy {
  readonly name: string;
  readonly description: string;
  readonly language: number;
  readonly params: readonly CheckedParam[];
  readonly sources: readonly CheckedSource[];
  /** None where all samples are of one. */
  readonly datasets: readonly CheckedDataset[];
  readonly modalities: readonly CheckedModality[];
  /** In an order in which each comes after those that it needs. */
  readonly bindings: ReadonlyMap<string, Binding>;
  readonly losses: readonly CheckedLoss[];
  /** How many samples a batch has at least. */
  readonly smallestBatch: 1 | 2;
  /** In the order in which the file lists them. */
  readonly passes: readonly CheckedPass[];
  readonly undecided: readonly Undecided[];
  /** Each after the one that it reads. */
  readonly outputs: readonly CheckedOutput[];
  readonly weights: readonly CheckedWeight[];
  /** Those that are used. */
  readonly networks: readonly CheckedNetwork[];
  /** Functions that are used. */
  readonly imports: readonly CheckedImport[];
  readonly functions: readonly CheckedFunction[];
  readonly metadata: readonly CheckedMetadata[];
  readonly expectations: readonly Expectation[];
}

/** A `let` with arguments. */
export interface CheckedFunction {
  readonly name: string;
  /** Of its name with the parameters, and of its value: what is put in for a call has the latter's place. */
  readonly head: Span;
  readonly body: Span;
  /** The parameter that the value written at a place is given to, by `placeKey`. */
  readonly given: ReadonlyMap<string, string>;
}

export interface CheckedImport {
  readonly name: string;
  /** As written: relative to the file that writes it. */
  readonly from: string;
  readonly span: Span;
  /** The file with the same function in Python, as written; null if there is none. */
  readonly python: { readonly value: string; readonly span: Span } | null;
  /** How many arguments it takes. */
  readonly arity: number;
}

/** Text of a checkpoint's metadata: pieces of text, and numbers known before the run. */
export interface CheckedMetadata {
  readonly name: string;
  readonly parts: readonly (string | Core)[];
}
