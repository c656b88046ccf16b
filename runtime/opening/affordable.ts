import { stat } from "node:fs/promises";
import type { Sample } from "../data/dataset.ts";

/** Bytes that are read in a few seconds. */
const MOST_BYTES = 2 ** 30;

/** The samples, from the first on, whose contents can be read before a run: the first in any case. */
export async function affordable(samples: readonly Sample[], most = MOST_BYTES): Promise<ReadonlySet<Sample>> {
  const chosen = new Set<Sample>();
  let bytes = 0;
  for (const sample of samples) {
    const sizes = await Promise.all([...new Set(Object.values(sample.files))].map(sizeOf));
    bytes += sizes.reduce((a, b) => a + b, 0);
    if (chosen.size > 0 && bytes > most) break;
    chosen.add(sample);
  }
  return chosen;
}

/** Zero for a file that is not there: reading the sample says so. */
const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => null))?.size ?? 0;
