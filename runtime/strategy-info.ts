/** What a compiled strategy says of itself: the part of the contract that is plain data. Types only. */

export type SourceKind = "video_latents" | "audio_latents" | "text_embeddings" | "video_mask" | "audio_mask" | "tensor";

export interface SourceInfo {
  readonly name: string;
  readonly kind: SourceKind;
  /** Relative to the data root; `${param}` stands for a parameter's value. */
  readonly directory: string;
  /** Whether `directory` is the path of one file, whose value all samples share. */
  readonly shared?: boolean;
  /** Whether samples may lack it. */
  readonly optional?: boolean;
  /** Kind `tensor` only: the entry of the file and the names of its axes. */
  readonly key?: string;
  readonly axes?: readonly string[];
  /** Kind `tensor` only: the smallest and the largest number that it may hold. */
  readonly range?: readonly [number, number];
  /** Kind `tensor` only: heads and networks whose features meet its own, number by number along `feature`. */
  readonly meets?: readonly string[];
}

/** A set of samples, of which every batch has its share. */
export interface DatasetInfo {
  readonly name: string;
  /** Below the data root, `${param}` stands for a parameter's value; that root itself if not given. */
  readonly root?: string;
  /** A number, or the name of a parameter; what the others leave if not given. */
  readonly share?: number | string;
  /** Names of the sources that it does not have. */
  readonly without?: readonly string[];
}

export interface ModalityInfo {
  /** False: frozen, that is clean and without a loss. */
  readonly generated: boolean;
  /** Names of the sources of its latents and of its text. */
  readonly latents: string;
  readonly text: string;
  /** Where each sample has one of several texts: all of them, `text` the last. */
  readonly texts?: readonly string[];
  /** Names of the weights whose tokens stand in front of those of `text`. */
  readonly inserted?: readonly string[];
  /** Names of the sources of its references, as the file lists them. */
  readonly references: readonly string[];
}

/** A modality's stream after a transformer block (counted from 0, or from -1 backwards), or a trainable linear head on another output. */
export type OutputInfo =
  | {
      readonly name: string;
      readonly kind: "tap";
      readonly modality: "video" | "audio";
      readonly block: number;
      /** The parameter that gives the block; the number here is then its default. */
      readonly param?: string;
    }
  | {
      readonly name: string;
      /** The parameter that gives `features`; the number here is then its default. */
      readonly param?: string;
      readonly kind: "linear";
      readonly modality: "video" | "audio";
      /** Name of the output that it reads; the list has it before this one. */
      readonly input: string;
      readonly features: number;
      readonly activation: "silu" | "gelu" | "none";
    };

/** Trained tokens of captions: a tensor `[tokens, width of the text]` for each of these modalities. */
export interface WeightInfo {
  readonly name: string;
  readonly modalities: readonly ("video" | "audio")[];
  readonly tokens: number;
  /** It begins with normal numbers of this standard deviation around `mean`. */
  readonly std: number;
  readonly mean: number;
}

/** A network whose weights are not trained. */
export interface NetworkInfo {
  readonly name: string;
  /** A half of the video VAE, or layers. */
  readonly architecture: "ltx_video_decoder" | "ltx_video_encoder" | readonly NetworkLayer[];
  /** The file with its weights, below the data root, with `${param}` for a parameter's value; the run's video VAE if not given. */
  readonly from?: string;
  /** Of layers: what the names of their tensors begin with; nothing if not given. */
  readonly prefix?: string;
  /** How many latent cells it is given at most. */
  readonly window?: { readonly frames?: number; readonly height?: number; readonly width?: number };
  /** The axis of its argument's channels: `channel` of latents, `hidden` of the model's stream, `rgb` of pixels, or another one; of audio `channel:audio`. */
  readonly input: string;
}

/** A convolution is 3D: it sees so many frames, rows and columns, with zeros around, so that sizes stay. */
export type NetworkLayer =
  | { readonly kind: "linear"; readonly features: number }
  | { readonly kind: "conv"; readonly features: number; readonly kernel: readonly [number, number, number] }
  | { readonly kind: "layer_norm" }
  | { readonly kind: "relu" | "gelu" | "gelu_tanh" | "silu" | "tanh" | "sigmoid" };

/** The weights of a call: those that are trained, those of the base model, or the moving average of the trained ones. */
export type PassWeights = "trained" | "base" | "ema";

/** Another call of the model in the step. */
export interface PassInfo {
  readonly name: string;
  readonly weights: PassWeights;
  /** Names of sources that it takes for latents, texts and references, and the step's own call does not, by modality. */
  readonly latents?: Readonly<Partial<Record<"video" | "audio", string>>>;
  readonly texts?: Readonly<Partial<Record<"video" | "audio", readonly string[]>>>;
  readonly references?: Readonly<Partial<Record<"video" | "audio", readonly string[]>>>;
}

export interface StrategyInfo {
  readonly name: string;
  readonly description: string;
  readonly language: number;
  /** Version of the compiler that made this module. */
  readonly compiler: string;
  /** Version of this contract; a module made for another one is refused. */
  readonly contract: number;
  /** SHA-256 of the strategy's source text, hexadecimal. */
  readonly sourceHash: string;
  readonly sources: readonly SourceInfo[];
  /** Where samples of several sets are mixed; none if not given. */
  readonly datasets?: readonly DatasetInfo[];
  /** JSON Schema of the parameters. */
  readonly params: Readonly<Record<string, unknown>>;
  /** What it feeds to the model; null for a modality that it leaves out. */
  readonly modalities: { readonly video: ModalityInfo | null; readonly audio: ModalityInfo | null };
  /** Other calls of the model in the step, in their order; none if not given. */
  readonly passes?: readonly PassInfo[];
  /** Names of the loss terms and the modality whose sigma their buckets go by. */
  readonly losses: readonly {
    readonly name: string;
    readonly modality: "video" | "audio";
    /** Whether it compares the samples of a batch with one another, so that it means nothing in a batch of one. */
    readonly others?: boolean;
  }[];
  /** How many samples a batch has at least; 1 if left out. */
  readonly smallestBatch?: number;
  /** Names of the loss terms of which the compiler cannot tell whether they cover kept tokens: the run looks. */
  readonly undecided: readonly string[];
  /** Each after the one it reads. */
  readonly outputs: readonly OutputInfo[];
  /** Trained tensors of the strategy's own; none if not given. */
  readonly weights?: readonly WeightInfo[];
  /** Networks whose weights are not trained; none if not given. */
  readonly networks?: readonly NetworkInfo[];
}
