import type { EvaluationConfig } from "../config/run-config.ts";
import { fail } from "../findings.ts";
import { permutation } from "../random/philox.ts";

/** Independent of the run's seed: runs over the same data are evaluated on the same samples. */
const SEED = 0;

/**
 * Divides a data set: which samples are held out depends on their number alone. Both parts keep the data set's order.
 * @throws FindingsError LTX6320 when no sample is left to train on
 */
export function holdOut<Sample>(
  samples: readonly Sample[],
  { samples: count }: EvaluationConfig,
): { readonly training: readonly Sample[]; readonly heldOut: readonly Sample[] } {
  if (count > 0 && count >= samples.length) {
    const message = `${count} samples are held out, and the data set has ${samples.length} in all`;
    const help = `write ${samples.length - 1} or less; a tenth of the data is plenty`;
    fail("LTX6320", message, help, ["evaluation", "samples"]);
  }
  const chosen = new Set(permutation(SEED, 0, samples.length).subarray(0, count));
  return {
    training: samples.filter((_, i) => !chosen.has(i)),
    heldOut: samples.filter((_, i) => chosen.has(i)),
  };
}
