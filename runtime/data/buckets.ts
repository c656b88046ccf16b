/** Samples by size, captions included: a batch holds samples of one size alone. */
import { fail, type Finding } from "../findings.ts";
import type { Sample } from "./dataset.ts";
import type { DataSource } from "./directories.ts";
import { readTypes, type EntryType } from "../files/pt/index.ts";

export interface Buckets {
  /** Of each sample, which bucket it belongs to. */
  readonly of: Int32Array;
  /** What the samples of each bucket have in common: `latents 3 x 16 x 24`. */
  readonly names: readonly string[];
  /** Samples in each. */
  readonly counts: readonly number[];
}

/** Files that are looked at together. */
const CONCURRENCY = 64;

/** What decides on a sample's bucket. */
interface Size {
  /** All that must be equal for samples to be put together. */
  readonly key: string;
  /** Of the latents: `latents 3 x 16 x 24`. */
  readonly latents: string;
  /** Of all else, to be named where samples differ in it: `conditions 256`. */
  readonly others: string;
}

/** What the headers of a sample's files say of its sizes, by role; nothing of sources that it lacks. */
export type SampleSizes = ReadonlyMap<string, SourceSize>;

interface SourceSize {
  /** All that must be equal for samples to be put together. */
  readonly key: unknown;
  /** `3 x 16 x 24` */
  readonly text: string;
}

/** Reads the headers of all files of the samples; those of equal sizes have the same object. Errors: those of `readPt`. */
export async function sizesOfSamples(
  samples: readonly Sample[],
  sources: readonly DataSource[],
): Promise<readonly SampleSizes[]> {
  const sizes: SampleSizes[] = [];
  const known = new Map<string, SampleSizes>();
  for (let first = 0; first < samples.length; first += CONCURRENCY) {
    const part = samples.slice(first, first + CONCURRENCY);
    for (const size of await Promise.all(part.map((sample) => sizesOfSample(sample, sources)))) {
      const key = JSON.stringify([...size]);
      known.set(key, known.get(key) ?? size);
      sizes.push(known.get(key) ?? size);
    }
  }
  return sizes;
}

async function sizesOfSample({ files }: Sample, sources: readonly DataSource[]): Promise<SampleSizes> {
  const read = sources.map(async (source) => {
    const file = files[source.role];
    if (file === undefined) return [];
    const types = await readTypes(file);
    return [[source.role, isSized(source) ? latentsOf(types) : contentsOf(source, types)] as const];
  });
  return new Map((await Promise.all(read)).flat());
}

/**
 * Divides samples into those that can be put into one batch: with equal sizes of their latents, references included, equally long
 * captions, and the same entries and storage types. `sizes`: of each sample; those that have no size of a source go together.
 */
export function bucketsOf(sizes: readonly SampleSizes[], sources: readonly DataSource[]): Buckets {
  const numbers = new Map<string, number>();
  const ofBuckets: Size[] = [];
  const of = new Int32Array(sizes.length);
  const counts: number[] = [];
  for (const [i, sample] of sizes.entries()) {
    const size = sizeOf(sample, sources);
    const bucket = numbers.get(size.key) ?? numbers.size;
    numbers.set(size.key, bucket);
    ofBuckets[bucket] ??= size;
    of[i] = bucket;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return { of, names: namesOf(ofBuckets), counts };
}

function namesOf(sizes: readonly Size[]): readonly string[] {
  const isSame = sizes.every(({ others }) => others === sizes[0]?.others);
  return sizes.map(({ latents, others }) =>
    isSame ? latents : [latents, others].filter((text) => text !== "").join(", "),
  );
}

const isSized = ({ kind }: DataSource): boolean => kind === "video_latents" || kind === "audio_latents";

function sizeOf(sizes: SampleSizes, sources: readonly DataSource[]): Size {
  const parts = sources.map((source) => ({ source, size: sizes.get(source.role) ?? null }));
  const named = (wanted: boolean) => {
    const of = parts.filter(({ source }) => isSized(source) === wanted);
    return of.map(({ source: { role }, size }) => (size === null ? `no ${role}` : `${role} ${size.text}`)).join(", ");
  };
  return { key: JSON.stringify(parts.map(({ size }) => size?.key)), latents: named(true), others: named(false) };
}

type Types = ReadonlyMap<string, EntryType>;

function latentsOf(types: Types): SourceSize {
  const { shape = [], storage = null } = types.get("latents") ?? {};
  // Early preprocessing laid tokens out as [F*H*W, C] and declared the grid next to them.
  const declared = ["num_frames", "height", "width"].flatMap((key) => types.get(key)?.shape ?? []);
  const grid = shape.length === 2 ? declared : shape.slice(1);
  return { key: [grid, storage], text: grid.join(" x ") };
}

/** Captions are named by their tokens, and tensors by their shape. */
function contentsOf({ kind }: DataSource, types: Types): SourceSize {
  const tensors = [...types].filter(([, { storage }]) => storage !== null);
  const key = tensors.map(([name, { shape }]) => [name, shape]).toSorted();
  if (kind !== "text_embeddings") return { key, text: tensors.map(([, { shape }]) => shape.join(" x ")).join(" and ") };
  const tokens = types.get("prompt_attention_mask")?.shape.join(" x ") ?? "";
  return { key, text: `${tokens} tokens${types.has("audio_prompt_embeds") ? " with audio" : ""}` };
}

/**
 * What there is to say of buckets for batches of `batchSize`: those that fill none are left out of the training.
 * @throws FindingsError LTX6302 when no bucket fills a batch
 */
export function checkBuckets({ names, counts }: Buckets, batchSize: number): readonly Finding[] {
  const path = ["optimization", "batch_size"];
  const small = names.flatMap((name, i) => ((counts[i] ?? 0) < batchSize ? [`${counts[i]} of ${name}`] : []));
  const shown = shownSizes(small);
  if (small.length === names.length) {
    const most = Math.max(...counts);
    const help = `write \`batch_size: ${most}\`${most === 1 ? "" : " or less"}`;
    fail("LTX6302", `no size has the ${batchSize} samples of a batch: ${shown}`, help, path);
  }
  if (small.length === 0) return [];
  const message = `a batch holds samples of one size; these do not fill one and are never trained on: ${shown}`;
  return [
    { code: "LTX6305", severity: "warning", path, message, help: "lower `batch_size`, or add samples of these sizes" },
  ];
}

/** The first few of sizes that cannot be trained on, and how many more there are. */
export function shownSizes(small: readonly string[]): string {
  return (small.length > 5 ? [...small.slice(0, 5), `and ${small.length - 5} sizes more`] : small).join("; ");
}
