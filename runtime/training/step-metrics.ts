import type { Report } from "./forward.ts";
import { sigmaBuckets } from "../metrics/sigma-buckets.ts";

interface StepMetrics {
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly sigmaBuckets: Readonly<Record<string, number>>;
  /** The mean loss of the samples of each data set; not given where all are of one. */
  readonly datasets?: Readonly<Record<string, number>>;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Means over all samples of an optimizer step, whichever micro-batch they were in; micro-batches have one size. `sets`: the data set of
 * each of these samples; none where all are of one.
 */
export function stepMetrics(reports: readonly Report[], sets: readonly string[] = []): StepMetrics {
  const names = Object.keys(reports[0]?.terms ?? {});
  const valuesOf = (name: string) => reports.flatMap(({ terms }) => Array.from(terms[name] ?? []));
  const terms = Object.fromEntries(names.map((name) => [name, mean(valuesOf(name))]));
  const losses = reports.flatMap(sampleLosses);
  const sigmas = reports.flatMap(({ sigma }) => Array.from(sigma));
  const all = { loss: mean(losses), terms, sigmaBuckets: sigmaBuckets(sigmas, losses) };
  return sets.length === 0 ? all : { ...all, datasets: byDataset(losses, sets) };
}

function byDataset(losses: readonly number[], sets: readonly string[]): Readonly<Record<string, number>> {
  const names = [...new Set(sets)].toSorted();
  return Object.fromEntries(names.map((name) => [name, mean(losses.filter((_, i) => sets[i] === name))]));
}

/** One loss per sample: the sum of its terms. */
export function sampleLosses({ terms, sigma }: Report): number[] {
  return Array.from(sigma, (_, i) => Object.values(terms).reduce((sum, term) => sum + (term[i] ?? 0), 0));
}

/** The first loss term that is not a number in one of the samples, with those samples; null when all are. */
export function brokenTerm(
  reports: readonly Report[],
  samples: readonly (readonly string[])[],
): { readonly term: string; readonly samples: readonly string[] } | null {
  for (const [i, { terms }] of reports.entries()) {
    for (const [term, values] of Object.entries(terms)) {
      const broken = (samples[i] ?? []).filter((_, k) => !Number.isFinite(values[k]));
      if (broken.length > 0) return { term, samples: broken };
    }
  }
  return null;
}

/** The first modality in which some token attends to nothing, with those samples; null when there is none. */
export function blindSamples(
  reports: readonly Report[],
  samples: readonly (readonly string[])[],
): { readonly modality: "video" | "audio"; readonly samples: readonly string[] } | null {
  for (const modality of ["video", "audio"] as const) {
    const found = reports.flatMap(({ blind }, i) => (samples[i] ?? []).filter((_, k) => blind?.[modality][k] === 1));
    if (found.length > 0) return { modality, samples: found };
  }
  return null;
}

/** Loss terms that cover tokens kept clean, each with one sample where it does. */
export function overlappingTerms(
  reports: readonly Report[],
  samples: readonly (readonly string[])[],
): { readonly term: string; readonly sample: string }[] {
  const found = reports.flatMap(({ overlaps }, i) =>
    Object.entries(overlaps).flatMap(([term, flags]) => {
      const sample = (samples[i] ?? []).find((_, k) => flags[k] === 1);
      return sample === undefined ? [] : [{ term, sample }];
    }),
  );
  return found.filter(({ term }, i) => found.findIndex((other) => other.term === term) === i);
}

/** The samples without a single token to learn from. */
export function idleSamples(reports: readonly Report[], samples: readonly (readonly string[])[]): string[] {
  return reports.flatMap(({ generated }, i) => (samples[i] ?? []).filter((_, k) => generated[k] === 0));
}
