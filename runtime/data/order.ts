/** The numbers 0 to n - 1 in an order that depends on seed, epoch and name alone. */
export type Permutation = (seed: number, epoch: number, n: number, name?: string) => ArrayLike<number>;

interface OrderOptions {
  readonly samples: number;
  readonly batchSize: number;
  readonly seed: number;
  /** Of each sample, which bucket it belongs to: a batch holds samples of one. All belong to one if not given. */
  readonly buckets?: ArrayLike<number>;
}

/**
 * Which samples micro-batch `index` holds, counted from 0 over the whole run. Every epoch goes through the samples in an order of its
 * own; each bucket gathers its samples as they come, and gives a batch when it is full. Those that do not fill a batch at the epoch's end
 * wait for another one. A function of seed and index alone, so that a resumed run goes on with the samples that an uninterrupted one
 * would have had.
 * @throws RangeError if no bucket fills a batch: checked before a run, with a finding
 */
export function createOrder({ samples, batchSize, seed, buckets }: OrderOptions, permutation: Permutation) {
  const bucketOf = (sample: number): number => buckets?.[sample] ?? 0;
  const counts = new Map<number, number>();
  for (let i = 0; i < samples; i++) counts.set(bucketOf(i), (counts.get(bucketOf(i)) ?? 0) + 1);
  const perEpoch = [...counts.values()].reduce((sum, count) => sum + Math.floor(count / batchSize), 0);
  if (perEpoch === 0) throw new RangeError(`${samples} samples do not fill a batch of ${batchSize}`);
  // The last epoch is kept, since shuffling a large data set for each micro-batch would take longer than reading it.
  let shuffled: { readonly epoch: number; readonly batches: readonly (readonly number[])[] } | null = null;
  return (index: number): readonly number[] => {
    const epoch = Math.floor(index / perEpoch);
    if (shuffled?.epoch !== epoch) {
      shuffled = { epoch, batches: gather(permutation(seed, epoch, samples), batchSize, bucketOf) };
    }
    return shuffled.batches[index % perEpoch] ?? [];
  };
}

/** Full batches, in the order in which they fill. */
function gather(order: ArrayLike<number>, batchSize: number, bucketOf: (sample: number) => number): number[][] {
  const open = new Map<number, number[]>();
  const batches: number[][] = [];
  for (let i = 0; i < order.length; i++) {
    const sample = order[i] as number;
    const bucket = bucketOf(sample);
    const batch = [...(open.get(bucket) ?? []), sample];
    if (batch.length === batchSize) batches.push(batch);
    open.set(bucket, batch.length === batchSize ? [] : batch);
  }
  return batches;
}
