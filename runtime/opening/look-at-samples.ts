import type { StorageType } from "../contract.ts";
import type { Sample } from "../data/dataset.ts";
import type { HostSample, HostSource } from "../data/sample.ts";
import { FindingsError, type Finding, DATA_ROOT } from "../findings.ts";

/** A source as the header of its file describes it. */
export type SourceOutline =
  /** `grid`: latent frames, rows and columns. */
  | {
      readonly kind: "video_latents";
      readonly grid: readonly number[];
      readonly fps: number;
      readonly storage: StorageType;
    }
  /** `grid`: latent steps. */
  | { readonly kind: "audio_latents"; readonly grid: readonly number[]; readonly storage: StorageType }
  | { readonly kind: "text_embeddings"; readonly tokens: number }
  | { readonly kind: "tensor"; readonly shape: readonly number[] }
  | { readonly kind: "video_mask" | "audio_mask" };

/** A sample as the headers of its files describe it, by role. */
export interface Outline {
  readonly sample: Sample;
  readonly sources: Readonly<Record<string, SourceOutline>>;
}

/** In large data sets, how many samples' headers are read before a run; they are spread evenly. */
const MOST_LOOKED_AT = 2000;
/** Samples with mistakes that are reported one by one. */
const MOST_REPORTED = 10;
/** Samples that are looked at together. */
const CONCURRENCY = 16;

/**
 * Looks at the samples, or at as many of them as `most` allows.
 * @param broken samples that are known not to fit, and why; all of them count
 * @param look reads a sample's headers and checks that it fits the run
 * @throws FindingsError with what `look` threw for the first samples that do not fit, and how many more there are
 */
export async function lookAtSamples(
  samples: readonly Sample[],
  broken: ReadonlyMap<Sample, FindingsError>,
  look: (sample: Sample) => Promise<HostSample>,
  most = MOST_LOOKED_AT,
): Promise<readonly Outline[]> {
  const chosen = spread(samples, most).filter((sample) => !broken.has(sample));
  const outlines: Outline[] = [];
  const mistakes: FindingsError[] = [...broken.values()];
  for (let first = 0; first < chosen.length; first += CONCURRENCY) {
    const part = chosen.slice(first, first + CONCURRENCY);
    const results = await Promise.all(part.map((sample) => outlineOf(sample, look)));
    for (const result of results) {
      if (result instanceof FindingsError) mistakes.push(result);
      else outlines.push(result);
    }
  }
  if (mistakes.length > 0) throw new FindingsError(shortened(mistakes, chosen.length + broken.size));
  return outlines;
}

/** At most `most` items of a list, evenly spread, the first one included. */
function spread<Item>(list: readonly Item[], most: number): readonly Item[] {
  const apart = Math.max(1, list.length / most);
  const count = Math.ceil(list.length / apart);
  return Array.from({ length: count }, (_, i) => list[Math.floor(i * apart)]).filter((item) => item !== undefined);
}

async function outlineOf(
  sample: Sample,
  look: (sample: Sample) => Promise<HostSample>,
): Promise<Outline | FindingsError> {
  try {
    const { sources } = await look(sample);
    const outlines = Object.entries(sources).map(([role, source]) => [role, outlineOfSource(source)] as const);
    return { sample, sources: Object.fromEntries(outlines) };
  } catch (error) {
    if (error instanceof FindingsError) return error;
    throw error;
  }
}

function outlineOfSource(source: HostSource): SourceOutline {
  switch (source.kind) {
    case "video_latents": {
      const { kind, frames, height, width, fps, storage } = source;
      return { kind, grid: [frames, height, width], fps, storage };
    }
    case "audio_latents":
      return { kind: source.kind, grid: [source.steps], storage: source.storage };
    case "text_embeddings":
      return { kind: source.kind, tokens: source.mask.data.length };
    case "tensor":
      return { kind: source.kind, shape: source.value.shape };
    default:
      return { kind: source.kind };
  }
}

function shortened(mistakes: readonly FindingsError[], lookedAt: number): Finding[] {
  const found = mistakes.slice(0, MOST_REPORTED).flatMap((mistake) => mistake.findings);
  // What is wrong with a file that all samples share is wrong with each of them.
  const findings = [...new Map(found.map((finding) => [finding.message, finding])).values()];
  const rest = mistakes.slice(MOST_REPORTED);
  const [example] = rest[0]?.findings ?? [];
  if (example === undefined || found.some(({ message }) => message === example.message)) return findings;
  const message = `${rest.length} more of the ${lookedAt} samples that were looked at do not fit, such as ${example.message}`;
  return [...findings, { ...example, path: DATA_ROOT, message }];
}
