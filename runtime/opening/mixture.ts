/** Runs whose batches have their share of several data sets: which samples are trained on, and what there is to say of them. */
import type { RunConfig } from "../config/run-config.ts";
import { shownSizes, type Buckets } from "../data/buckets.ts";
import type { DataSet } from "../data/datasets.ts";
import type { Sample } from "../data/dataset.ts";
import { filledBuckets, type MixedSet } from "../data/mixed-order.ts";
import { fail, type Finding } from "../findings.ts";
import { checkBatchSize } from "./checks.ts";
import { holdOut } from "./held-out.ts";

interface Divided {
  readonly training: readonly Sample[];
  readonly heldOut: readonly Sample[];
}

/**
 * Divides samples into those to train on and those to evaluate, of each data set as many as its share is. `counts`: how many of each a
 * batch has.
 * @throws FindingsError LTX6301 when a data set cannot fill its share, LTX6320 when none of its samples is left to train on
 */
export function divideSamples(
  samples: readonly Sample[],
  config: RunConfig,
  sets: readonly DataSet[],
  counts: readonly number[],
): Divided {
  if (sets.length === 0) {
    const divided = holdOut(samples, config.evaluation);
    checkBatchSize(config, divided.training.length);
    return divided;
  }
  const shares = sharedOut(
    config.evaluation.samples,
    sets.map(({ share }) => share),
  );
  const parts = sets.map(({ name }, i) => {
    const own = samples.filter(({ set }) => set === name);
    const divided = holdOut(own, { ...config.evaluation, samples: shares[i] ?? 0 });
    checkShare(name, counts[i] ?? 0, divided.training.length);
    return divided;
  });
  return { training: parts.flatMap(({ training }) => training), heldOut: parts.flatMap(({ heldOut }) => heldOut) };
}

/** A whole number for each share, together `count`; what is left over goes to the largest remainders. */
function sharedOut(count: number, shares: readonly number[]): readonly number[] {
  const exact = shares.map((share) => share * count);
  const whole = exact.map((value) => Math.floor(value + 1e-9));
  const left = count - whole.reduce((a, b) => a + b, 0);
  const byRemainder = exact
    .map((value, i) => ({ i, remainder: value - (whole[i] ?? 0) }))
    .toSorted((a, b) => b.remainder - a.remainder || a.i - b.i);
  const more = new Set(byRemainder.slice(0, left).map(({ i }) => i));
  return whole.map((value, i) => value + (more.has(i) ? 1 : 0));
}

function checkShare(name: string, count: number, samples: number): void {
  if (count <= samples) return;
  const message = `a batch holds ${count} samples of the data set \`${name}\`, which has ${samples} to train on`;
  fail("LTX6301", message, "lower `batch_size`, or add samples to it", ["optimization", "batch_size"]);
}

/** The data sets with the numbers of their samples to train on. */
export function mixedSets(
  training: readonly Sample[],
  sets: readonly DataSet[],
  counts: readonly number[],
): readonly MixedSet[] {
  return sets.map(({ name }, i) => {
    const samples = training.flatMap(({ set }, k) => (set === name ? [k] : []));
    return { name, samples, perBatch: counts[i] ?? 0 };
  });
}

/**
 * What there is to say of buckets for a mixture: those of which some data set cannot fill its share are left out of the training.
 * @throws FindingsError LTX6302 when there is no other
 */
export function checkMixture(sets: readonly MixedSet[], { of, names }: Buckets): readonly Finding[] {
  const filled = filledBuckets(sets, of);
  const path = ["optimization", "batch_size"];
  const small = names.flatMap((name, bucket) => {
    if (filled.has(bucket)) return [];
    const counts = sets.map((set) => `${set.samples.filter((i) => of[i] === bucket).length} of \`${set.name}\``);
    return [`${name} (${counts.join(", ")})`];
  });
  if (small.length === 0) return [];
  const needed = sets.map(({ name, perBatch }) => `${perBatch} of \`${name}\``).join(" and ");
  const shown = shownSizes(small);
  const help = "preprocess the data sets to the same sizes, or lower `batch_size`";
  if (filled.size === 0) fail("LTX6302", `no size has the samples of a batch, ${needed}: ${shown}`, help, path);
  const message = `a batch holds samples of one size, ${needed}; of these sizes there are too few, and they are never trained on: ${shown}`;
  return [{ code: "LTX6305", severity: "warning", path, message, help }];
}
