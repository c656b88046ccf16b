import type { Sample } from "../data/dataset.ts";
import { checkWhole } from "../files/pt/index.ts";
import { FindingsError } from "../findings.ts";

/** Files that are looked at together. */
const CONCURRENCY = 64;

/**
 * The samples with a file that is cut off, or no file of `torch.save` at all, and what is wrong with it. Every file is looked at, by two
 * small reads, since a single one stops a run in its middle.
 */
export async function brokenSamples(samples: readonly Sample[]): Promise<ReadonlyMap<Sample, FindingsError>> {
  const broken = new Map<Sample, FindingsError>();
  for (let first = 0; first < samples.length; first += CONCURRENCY) {
    const part = samples.slice(first, first + CONCURRENCY);
    const results = await Promise.all(part.map(wrongIn));
    for (const [i, error] of results.entries()) {
      const sample = part[i];
      if (sample !== undefined && error !== null) broken.set(sample, error);
    }
  }
  return broken;
}

async function wrongIn({ files }: Sample): Promise<FindingsError | null> {
  const results = await Promise.allSettled([...new Set(Object.values(files))].map(checkWhole));
  const errors = results.flatMap((result): unknown[] => (result.status === "rejected" ? [result.reason] : []));
  const foreign = errors.find((error) => !(error instanceof FindingsError));
  if (foreign !== undefined) throw foreign;
  return errors.length === 0 ? null : new FindingsError(errors.flatMap((error) => (error as FindingsError).findings));
}
