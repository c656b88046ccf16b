/**
 * A running mean in which older values fade, unbiased from the first one on. NaN and infinite values are skipped.
 * @param count how many values there will be: a tenth of them, but never more than 50, make up most of the mean
 */
export function createSmoother(count: number): (value: number) => number {
  const memory = 1 - 1 / Math.min(50, Math.max(5, count / 10));
  let [sum, weight] = [0, 0];
  return (value) => {
    if (Number.isFinite(value)) {
      sum = memory * sum + (1 - memory) * value;
      weight = memory * weight + (1 - memory);
    }
    return sum / weight;
  };
}

/** The running mean after each of the values. */
export function smoothed(values: readonly number[]): number[] {
  const smooth = createSmoother(values.length);
  return values.map((value) => smooth(value));
}
