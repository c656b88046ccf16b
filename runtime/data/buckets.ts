/** Samples by size: a batch holds samples of one size alone. */
import { fail, type Finding } from "../findings.ts";
import type { Sample } from "./dataset.ts";
import type { DataSource } from "./directories.ts";
import { readShapes } from "../files/pt/index.ts";

interface Buckets {
  /** Of each sample, which bucket it belongs to. */
  readonly of: Int32Array;
  /** What the samples of each bucket have in common: `latents 3 x 16 x 24`. */
  readonly names: readonly string[];
  /** Samples in each. */
  readonly counts: readonly number[];
}

/** Files that are looked at together. */
const CONCURRENCY = 64;

/**
 * Divides samples by the sizes of their latents, references included, read from the files' headers. Everything else of a sample has the
 * size that its latents ask for; what has not is found when a batch is put together.
 * Errors: those of `readPt`.
 */
export async function bucketsOf(samples: readonly Sample[], sources: readonly DataSource[]): Promise<Buckets> {
  const sized = sources.filter(({ kind }) => kind === "video_latents" || kind === "audio_latents");
  const numbers = new Map<string, number>();
  const of = new Int32Array(samples.length);
  const counts: number[] = [];
  for (let first = 0; first < samples.length; first += CONCURRENCY) {
    const part = samples.slice(first, first + CONCURRENCY);
    const names = await Promise.all(part.map((sample) => sizeOf(sample, sized)));
    for (const [i, name] of names.entries()) {
      const bucket = numbers.get(name) ?? numbers.size;
      numbers.set(name, bucket);
      of[first + i] = bucket;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
  }
  return { of, names: [...numbers.keys()], counts };
}

async function sizeOf({ files }: Sample, sources: readonly DataSource[]): Promise<string> {
  const sizes = sources.map(async ({ role }) => {
    const shapes = await readShapes(files[role] ?? "");
    const latents = shapes.get("latents") ?? [];
    // Early preprocessing laid tokens out as [F*H*W, C] and declared the grid beside them.
    const declared = ["num_frames", "height", "width"].flatMap((key) => shapes.get(key) ?? []);
    const grid = latents.length === 2 ? declared : latents.slice(1);
    return `${role} ${grid.join(" x ")}`;
  });
  return (await Promise.all(sizes)).join(", ");
}

/**
 * What there is to say of buckets for batches of `batchSize`: those that fill none are left out of the training.
 * @throws FindingsError LTX6302 when no bucket fills a batch
 */
export function checkBuckets({ names, counts }: Buckets, batchSize: number): readonly Finding[] {
  const path = ["optimization", "batch_size"];
  const small = names.flatMap((name, i) => ((counts[i] ?? 0) < batchSize ? [`${counts[i]} of ${name}`] : []));
  const shown = small.length > 5 ? [...small.slice(0, 5), `and ${small.length - 5} sizes more`] : small;
  if (small.length === names.length) {
    const help = `write \`batch_size: ${Math.max(...counts)}\` or less`;
    fail("LTX6302", `no size has the ${batchSize} samples of a batch: ${shown.join("; ")}`, help, path);
  }
  if (small.length === 0) return [];
  const message = `a batch holds samples of one size; these do not fill one and are never trained on: ${shown.join("; ")}`;
  return [
    { code: "LTX6305", severity: "warning", path, message, help: "lower `batch_size`, or add samples of these sizes" },
  ];
}
