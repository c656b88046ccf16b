/** The values of a number over a run of any length, in a bounded amount of memory. */
export interface Series {
  add(value: number): void;
  /** How many values there were. */
  readonly count: number;
  /** Means of stretches of equal length, at most `limit` of them; the last stretch may be shorter. */
  means(): readonly number[];
  /** The first values and the last ones, as many of each as `createSeries` was asked to keep. */
  readonly first: readonly number[];
  readonly last: readonly number[];
}

/** Whenever `limit` means are reached, neighbours are merged in pairs. */
export function createSeries(limit = 256, ends = 20): Series {
  let stretch = 1;
  let means: number[] = [];
  let pending: number[] = [];
  let count = 0;
  const first: number[] = [];
  const last: number[] = [];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    add(value) {
      count++;
      if (first.length < ends) first.push(value);
      last.push(value);
      if (last.length > ends) last.shift();
      pending.push(value);
      if (pending.length < stretch) return;
      means.push(mean(pending));
      pending = [];
      if (means.length < limit) return;
      means = Array.from({ length: Math.floor(means.length / 2) }, (_, i) => mean(means.slice(2 * i, 2 * i + 2)));
      stretch *= 2;
    },
    get count() {
      return count;
    },
    means: () => (pending.length === 0 ? means : [...means, mean(pending)]),
    first,
    last,
  };
}
