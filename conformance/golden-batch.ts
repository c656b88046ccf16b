import type {
  Batch,
  DType,
  HostTensor,
  Ops,
  SourceBatch,
  SourceInfo,
  SourceKind,
  StorageType,
} from "../runtime/contract.ts";
import type { HostTextBatch, TextContext } from "../runtime/data/batch.ts";
import { golden, type GoldenTensor } from "./case.ts";

type Tensors = ReadonlyMap<string, GoldenTensor>;

/** The names of dtypes in safetensors files, in ours. */
export const storages: Readonly<Record<string, StorageType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
};

/** A golden tensor as an engine takes it: floats as float32, all else as int32. */
export function toHost({ dtype, shape, data }: GoldenTensor): HostTensor {
  const isFloat = dtype.includes("F");
  const type: DType = isFloat ? "float32" : "int32";
  return { shape, dtype: type, data: isFloat ? Float32Array.from(data) : Int32Array.from(data) };
}

/** What the reference's data sets hold of a source; not all of it is needed here. */
const fields: Readonly<Record<SourceKind, readonly string[]>> = {
  video_latents: ["latents", "num_frames", "height", "width", "fps"],
  audio_latents: ["latents", "num_time_steps", "frequency_bins", "duration"],
  text_embeddings: ["video_prompt_embeds", "audio_prompt_embeds", "prompt_embeds", "prompt_attention_mask"],
  video_mask: ["mask"],
  audio_mask: ["mask"],
  tensor: ["value"],
};

/** The names `<key>.<field>` of all that a batch of these sources may hold. */
export function batchNames(sources: readonly SourceInfo[], keyOf: (source: SourceInfo) => string): string[] {
  return sources.flatMap((source) => fields[source.kind].map((field) => `${keyOf(source)}.${field}`));
}

/**
 * The collated batch of a case, `batch.<key>.<field>`, as the step gets it. `keyOf` gives a source's batch key.
 * @param contexts by source, where the case ran connectors; else the prompt embeddings are the context as they are
 */
export function goldenBatch(
  tensors: Tensors,
  sources: readonly SourceInfo[],
  keyOf: (source: SourceInfo) => string,
  ops: Ops,
  contexts: Readonly<Record<string, TextContext>> = {},
): Batch {
  const entries = sources.map((source) => {
    const context = contexts[source.name];
    const made: SourceBatch =
      context === undefined
        ? sourceBatch(tensors, source, `batch.${keyOf(source)}`, ops)
        : { ...context, kind: "text_embeddings" };
    return [source.name, made] as const;
  });
  const first = sources.find((source) => source.kind === "video_latents" || source.kind === "audio_latents");
  if (first === undefined) throw new Error("the strategy has no source of latents");
  const size = golden(tensors, `batch.${keyOf(first)}.latents`).shape[0] ?? 0;
  return { size, sources: Object.fromEntries(entries) };
}

function sourceBatch(tensors: Tensors, { name, kind }: SourceInfo, prefix: string, ops: Ops): SourceBatch {
  const field = (key: string) => golden(tensors, `${prefix}.${key}`);
  const upload = (key: string) => ops.input(`batch.${name}.${key}`, toHost(field(key)));
  const size = (key: string) => field(key).data[0] ?? 0;
  const storage = (key: string) => storages[field(key).dtype] ?? "float32";
  switch (kind) {
    case "video_latents": {
      const grid = { frames: size("num_frames"), height: size("height"), width: size("width") };
      const fps = tensors.has(`${prefix}.fps`) ? Array.from(field("fps").data) : defaultFps(field("latents"));
      return { kind, latents: upload("latents"), storage: storage("latents"), ...grid, fps };
    }
    case "audio_latents":
      return { kind, latents: upload("latents"), storage: storage("latents"), steps: field("latents").shape[2] ?? 0 };
    case "text_embeddings": {
      const text = textFeatures(tensors, prefix);
      const input = (key: string, value: HostTensor) => ops.input(`batch.${name}.${key}`, value);
      const audio = text.audio === null ? null : input("audio_prompt_embeds", text.audio);
      return { kind, video: input("video_prompt_embeds", text.video), audio, mask: input("mask", text.mask) };
    }
    case "video_mask":
    case "audio_mask":
      return { kind, mask: ops.input(`batch.${name}.mask`, perToken(field("mask"))) };
    case "tensor":
      return { kind, value: upload("value") };
  }
}

/** The text features `<prefix>.<field>`; the legacy layout has one tensor for both modalities. */
export function textFeatures(tensors: Tensors, prefix: string): HostTextBatch {
  const isLegacy = !tensors.has(`${prefix}.video_prompt_embeds`);
  const legacy = isLegacy ? tensors.get(`${prefix}.prompt_embeds`) : undefined;
  const audio = legacy ?? tensors.get(`${prefix}.audio_prompt_embeds`);
  return {
    kind: "text_embeddings",
    video: toHost(legacy ?? golden(tensors, `${prefix}.video_prompt_embeds`)),
    audio: audio === undefined ? null : toHost(audio),
    mask: toHost(golden(tensors, `${prefix}.prompt_attention_mask`)),
  };
}

/** A mask of any shape, whose values are one per token, in float32. */
function perToken({ shape: [batch = 0], data }: GoldenTensor): HostTensor {
  return { shape: [batch, data.length / batch], dtype: "float32", data: Float32Array.from(data) };
}

function defaultFps(latents: GoldenTensor): number[] {
  return Array.from({ length: latents.shape[0] ?? 0 }, () => 24);
}
