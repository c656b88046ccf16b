import type {
  Batch,
  HostTensor,
  Ops,
  Sizes,
  SourceBatch,
  SourceSizes,
  StorageType,
  TextEmbeddings,
  VideoGrid,
} from "../contract.ts";
import { fail, DATA_ROOT } from "../findings.ts";
import type { HostSample, HostSource } from "./sample.ts";

/** `latents [B, C, F, H, W]` */
interface HostVideoBatch extends VideoGrid {
  readonly kind: "video_latents";
  readonly latents: HostTensor;
  readonly storage: StorageType;
  readonly fps: readonly number[];
}

/** `latents [B, C, T, mel]` */
interface HostAudioBatch {
  readonly kind: "audio_latents";
  readonly latents: HostTensor;
  readonly storage: StorageType;
  readonly steps: number;
}

/** Before the connectors: `video [B, S, D]`, `audio [B, S, D']`, `mask` int32 `[B, S]`, 1 = text, 0 = padding. */
export interface HostTextBatch {
  readonly kind: "text_embeddings";
  readonly video: HostTensor;
  readonly audio: HostTensor | null;
  readonly mask: HostTensor;
}

/** `mask [B, T]` */
interface HostMaskBatch {
  readonly kind: "video_mask" | "audio_mask";
  readonly mask: HostTensor;
}

/** `value [B, ...]` */
interface HostTensorBatch {
  readonly kind: "tensor";
  readonly value: HostTensor;
}

type HostSourceBatch = HostVideoBatch | HostAudioBatch | HostTextBatch | HostMaskBatch | HostTensorBatch;

/** One micro-batch on the host. */
export interface HostBatch {
  readonly size: number;
  /** The samples, as the user knows them. */
  readonly names: readonly string[];
  /** By role. */
  readonly sources: Readonly<Record<string, HostSourceBatch>>;
  /** By optional source, which of the samples have it. */
  readonly marks?: Readonly<Record<string, readonly boolean[]>>;
}

/** The optional sources that no sample of a batch has. */
export function lackedBy({ marks = {} }: HostBatch): readonly string[] {
  return Object.entries(marks).flatMap(([name, mark]) => (mark.includes(true) ? [] : [name]));
}

/** Sizes of each source in latent cells, 0 for what its kind does not have. */
export function sizesOf({ sources }: HostBatch): Sizes {
  const entries = Object.entries(sources).map(([role, source]): [string, SourceSizes] => {
    if (source.kind === "audio_latents") return [role, { frames: 0, height: 0, width: 0, steps: source.steps }];
    if (source.kind !== "video_latents") return [role, { frames: 0, height: 0, width: 0, steps: 0 }];
    return [role, { frames: source.frames, height: source.height, width: source.width, steps: 0 }];
  });
  return Object.fromEntries(entries);
}

/** One source of all samples of a batch. */
interface Column<Source extends HostSource> {
  readonly role: string;
  readonly names: readonly string[];
  readonly sources: readonly [Source, ...Source[]];
}

/**
 * Stacks samples on a new axis 0.
 * Errors: FindingsError LTX6140 (shapes differ), LTX6141 (entries or storage types differ), naming two samples that do not go together.
 */
export function collate(samples: readonly [HostSample, ...HostSample[]]): HostBatch {
  const names = samples.map(({ name }) => name);
  const sources: [role: string, batch: HostSourceBatch][] = [];
  for (const role of Object.keys(samples[0].sources)) {
    const column = samples.map((sample) => sample.sources[role] as HostSource) as [HostSource, ...HostSource[]];
    sources.push([role, collateSource({ role, names, sources: column })]);
  }
  const marked = Object.keys(samples[0].marks ?? {});
  const marks = marked.map((name) => [name, samples.map((sample) => sample.marks?.[name] === true)] as const);
  const batch = { size: samples.length, names, sources: Object.fromEntries(sources) };
  return marks.length === 0 ? batch : { ...batch, marks: Object.fromEntries(marks) };
}

function collateSource(column: Column<HostSource>): HostSourceBatch {
  const [first] = column.sources;
  // A role has one kind in all samples, that of its declaration.
  switch (first.kind) {
    case "video_latents": {
      const videos = column as Column<typeof first>;
      const { kind, frames, height, width } = first;
      const fps = videos.sources.map((source) => source.fps);
      const latents = stack(videos, "latents", ({ latents }) => latents);
      return { kind, latents, storage: sharedStorage(videos), frames, height, width, fps };
    }
    case "audio_latents": {
      const audios = column as Column<typeof first>;
      const latents = stack(audios, "latents", ({ latents }) => latents);
      return { kind: first.kind, latents, storage: sharedStorage(audios), steps: first.steps };
    }
    case "text_embeddings":
      return collateText(column as Column<typeof first>);
    case "video_mask":
    case "audio_mask": {
      const masks = column as Column<typeof first>;
      return { kind: first.kind, mask: stack(masks, "mask", ({ mask }) => mask) };
    }
    case "tensor": {
      const values = column as Column<typeof first>;
      return { kind: first.kind, value: stack(values, "value", ({ value }) => value) };
    }
  }
}

function collateText(column: Column<Extract<HostSource, { kind: "text_embeddings" }>>): HostTextBatch {
  const { sources } = column;
  const silent = sources.findIndex(({ audio }) => (audio === null) !== (sources[0].audio === null));
  if (silent >= 0) failContents(column, silent, "only one of them has `audio_prompt_embeds`");
  return {
    kind: "text_embeddings",
    video: stack(column, "video features", ({ video }) => video),
    audio: sources[0].audio === null ? null : stack(column, "audio features", ({ audio, video }) => audio ?? video),
    mask: stack(column, "prompt_attention_mask", ({ mask }) => mask),
  };
}

/** Noise and targets are rounded to the latents' storage type, so a batch has one. */
function sharedStorage(column: Column<Extract<HostSource, { storage: StorageType }>>): StorageType {
  const [{ storage }, ...rest] = column.sources;
  const other = rest.findIndex((source) => source.storage !== storage);
  if (other >= 0) {
    failContents(column, other + 1, `their latents are stored as ${storage} and ${rest[other]?.storage}`);
  }
  return storage;
}

function failContents({ role, names }: Column<HostSource>, other: number, what: string): never {
  const message = `the source \`${role}\`: ${names[0]} and ${names[other]} are in one batch, but ${what}`;
  fail("LTX6141", message, "preprocess all samples with the same settings, or set `batch_size: 1`", DATA_ROOT);
}

function stack<Source extends HostSource>(
  { role, names, sources }: Column<Source>,
  label: string,
  pick: (source: Source) => HostTensor,
): HostTensor {
  const first = pick(sources[0]);
  const parts = sources.map(pick);
  const other = parts.findIndex(({ shape }) => shape.join() !== first.shape.join());
  if (other >= 0) {
    const shapes = `${names[0]} has [${first.shape.join(", ")}], ${names[other]} has [${parts[other]?.shape.join(", ")}]`;
    const help = "set `batch_size: 1`, or preprocess all samples to equal sizes";
    fail("LTX6140", `the source \`${role}\`: ${label} of one batch differ in shape: ${shapes}`, help, [
      "optimization",
      "batch_size",
    ]);
  }
  const shape = [parts.length, ...first.shape];
  if (parts.length === 1) return { ...first, shape };
  const size = first.data.length;
  const data = first.dtype === "int32" ? new Int32Array(size * parts.length) : new Float32Array(size * parts.length);
  parts.forEach((part, i) => data.set(part.data, i * size));
  return { shape, dtype: first.dtype, data };
}

/** What the connectors make of a source's text features. */
export type TextContext = Omit<TextEmbeddings, "kind">;

/**
 * The batch as steps take it. Tensors are inputs of the step, named `batch.<source>.<field>`, and `batch.has.<source>` for its marks.
 * @param contexts one for each source of text features, by role
 */
export function uploadBatch(
  ops: Pick<Ops, "input" | "greater">,
  batch: HostBatch,
  contexts: Readonly<Record<string, TextContext>>,
): Batch {
  const { size, sources, marks = {} } = batch;
  const upload = (role: string, source: HostSourceBatch): SourceBatch => {
    const input = (field: string, value: HostTensor) => ops.input(`batch.${role}.${field}`, value);
    switch (source.kind) {
      case "video_latents":
      case "audio_latents":
        return { ...source, latents: input("latents", source.latents) };
      case "text_embeddings": {
        const context = contexts[role];
        if (context === undefined) throw new RangeError(`no context for the text features of ${role}`);
        return { ...context, kind: source.kind };
      }
      case "video_mask":
      case "audio_mask":
        return { kind: source.kind, mask: input("mask", source.mask) };
      case "tensor":
        return { kind: source.kind, value: input("value", source.value) };
    }
  };
  const pairs = Object.entries(sources).map(([role, source]) => [role, upload(role, source)] as const);
  const masks = Object.entries(marks).map(([name, mark]) => {
    const value: HostTensor = { shape: [size], dtype: "float32", data: Float32Array.from(mark, Number) };
    return [name, ops.greater(ops.input(`batch.has.${name}`, value), 0.5)] as const;
  });
  const whole = { size, sources: Object.fromEntries(pairs) };
  return masks.length === 0 ? whole : { ...whole, marks: Object.fromEntries(masks), lacks: lackedBy(batch) };
}
