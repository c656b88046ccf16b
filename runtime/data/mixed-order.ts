/** Which samples batches hold that have their share of each data set. */
import { createOrder, type Permutation } from "./order.ts";

/** A data set in a mixture. */
export interface MixedSet {
  readonly name: string;
  /** Numbers of its samples. */
  readonly samples: readonly number[];
  /** How many of them a batch has. */
  readonly perBatch: number;
}

interface MixedOptions {
  /** The first one decides which sizes the batches have. */
  readonly sets: readonly [MixedSet, ...MixedSet[]];
  readonly seed: number;
  /** Of each sample, which bucket it belongs to: a batch holds samples of one. All belong to one if not given. */
  readonly buckets?: ArrayLike<number>;
}

/** By data set, its samples in each bucket. */
type ByBucket = ReadonlyMap<number, readonly number[]>;

/** The buckets of which every data set has its share of a batch. */
export function filledBuckets(sets: readonly MixedSet[], buckets?: ArrayLike<number>): ReadonlySet<number> {
  const all = sets.map((set) => ({ ...set, byBucket: divide(set, buckets) }));
  const isFilled = (bucket: number) =>
    all.every(({ byBucket, perBatch }) => (byBucket.get(bucket)?.length ?? 0) >= perBatch);
  return new Set(all.flatMap(({ byBucket }) => [...byBucket.keys()]).filter(isFilled));
}

function divide({ samples }: MixedSet, buckets?: ArrayLike<number>): ByBucket {
  const found = new Map<number, number[]>();
  for (const sample of samples) {
    const bucket = buckets?.[sample] ?? 0;
    const list = found.get(bucket) ?? [];
    list.push(sample);
    found.set(bucket, list);
  }
  return found;
}

/**
 * Which samples micro-batch `index` holds, counted from 0 over the whole run: those of the first data set first. That one is gone through as
 * `createOrder` does; each of the others gives, for the n-th batch of a bucket, its n-th share of the same bucket, in orders of its
 * own: one that is larger takes longer for all of its samples, one that is smaller begins anew. A function of seed and index alone.
 * @throws RangeError if no bucket fills a batch: checked before a run, with a finding
 */
export function createMixedOrder({ sets, seed, buckets }: MixedOptions, permutation: Permutation) {
  const [first, ...others] = sets;
  const filled = filledBuckets(sets, buckets);
  const bucketOf = (sample: number): number => buckets?.[sample] ?? 0;
  const leading = first.samples.filter((sample) => filled.has(bucketOf(sample)));
  const chosen = createOrder(
    { samples: leading.length, batchSize: first.perBatch, seed, buckets: leading.map(bucketOf) },
    permutation,
  );
  const placeOf = placesIn(divide({ ...first, samples: leading }, buckets), first.perBatch, (index) =>
    bucketOf(leading[chosen(index)[0] ?? 0] ?? 0),
  );
  const shares = others.map((set) => sharesOf(set, divide(set, buckets), seed, permutation));
  return (index: number): readonly number[] => {
    const { bucket, place } = placeOf(index);
    const own = chosen(index).flatMap((i) => leading[i] ?? []);
    return [...own, ...shares.flatMap((share) => share(bucket, place))];
  };
}

/** The bucket of a batch, and how many batches of it come before. */
function placesIn(byBucket: ByBucket, perBatch: number, bucketAt: (index: number) => number) {
  const perEpoch = new Map([...byBucket].map(([bucket, { length }]) => [bucket, Math.floor(length / perBatch)]));
  const batches = [...perEpoch.values()].reduce((a, b) => a + b, 0);
  let known: { readonly epoch: number; readonly places: { bucket: number; place: number }[] } | null = null;
  const placesOf = (epoch: number) => {
    const before = new Map([...perEpoch].map(([bucket, count]) => [bucket, epoch * count]));
    return Array.from({ length: batches }, (_, i) => {
      const bucket = bucketAt(epoch * batches + i);
      const place = before.get(bucket) ?? 0;
      before.set(bucket, place + 1);
      return { bucket, place };
    });
  };
  return (index: number) => {
    const epoch = Math.floor(index / batches);
    if (known?.epoch !== epoch) known = { epoch, places: placesOf(epoch) };
    return known.places[index % batches] ?? { bucket: 0, place: 0 };
  };
}

/** The n-th share of a data set in a bucket. */
function sharesOf({ name, perBatch }: MixedSet, byBucket: ByBucket, seed: number, permutation: Permutation) {
  // The last order of each bucket is kept: shuffling for each batch would take longer than reading it.
  const orders = new Map<number, { readonly epoch: number; readonly order: ArrayLike<number> }>();
  return (bucket: number, place: number): readonly number[] => {
    const samples = byBucket.get(bucket) ?? [];
    const perEpoch = Math.floor(samples.length / perBatch);
    const epoch = Math.floor(place / perEpoch);
    const known = orders.get(bucket);
    const { order } =
      known?.epoch === epoch
        ? known
        : { order: permutation(seed, epoch, samples.length, `data.order.${name}.${bucket}`) };
    orders.set(bucket, { epoch, order });
    const from = (place % perEpoch) * perBatch;
    return Array.from({ length: perBatch }, (_, i) => samples[order[from + i] ?? 0] ?? 0);
  };
}
