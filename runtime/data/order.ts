/** The numbers 0 to n - 1 in an order that depends on seed and epoch alone. */
export type Permutation = (seed: number, epoch: number, n: number) => ArrayLike<number>;

export interface OrderOptions {
  readonly samples: number;
  readonly batchSize: number;
  readonly seed: number;
}

/**
 * Which samples micro-batch `index` holds, counted from 0 over the whole run. Every epoch goes through the samples in an order of its
 * own; those that do not fill a batch at its end wait for another epoch. A function of seed and index alone, so that a resumed run
 * goes on with the samples that an uninterrupted one would have had.
 * @throws RangeError if there are fewer samples than a batch holds: checked before a run, with a finding
 */
export function createOrder({ samples, batchSize, seed }: OrderOptions, permutation: Permutation) {
  const perEpoch = Math.floor(samples / batchSize);
  if (perEpoch === 0) throw new RangeError(`${samples} samples do not fill a batch of ${batchSize}`);
  // The last epoch is kept, since shuffling a large data set for each micro-batch would take longer than reading it.
  let shuffled: { readonly epoch: number; readonly order: ArrayLike<number> } | null = null;
  return (index: number): readonly number[] => {
    const epoch = Math.floor(index / perEpoch);
    if (shuffled?.epoch !== epoch) shuffled = { epoch, order: permutation(seed, epoch, samples) };
    const { order } = shuffled;
    const start = (index % perEpoch) * batchSize;
    return Array.from({ length: batchSize }, (_, i) => order[start + i] as number);
  };
}
