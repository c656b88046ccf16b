/** Lower bounds of the buckets and the upper bound of the last one. */
export const SIGMA_BOUNDARIES: readonly number[] = [0, 0.25, 0.5, 0.75, 1];

/**
 * The mean loss of each range of noise levels, e.g. `{"0.25-0.50": 0.8}`: only of ranges that hold a sample, in the order in which
 * the samples first fell into them. A level on a boundary belongs above it; one outside of all ranges to the nearest.
 * @throws RangeError when there are fewer than two boundaries, they do not increase, or the two lists differ in length
 */
export function sigmaBuckets(
  sigmas: ArrayLike<number>,
  losses: ArrayLike<number>,
  boundaries: readonly number[] = SIGMA_BOUNDARIES,
): Record<string, number> {
  checkBoundaries(boundaries);
  if (sigmas.length !== losses.length) {
    throw new RangeError(`${sigmas.length} noise levels for ${losses.length} losses`);
  }
  const sums = new Map<string, { sum: number; count: number }>();
  for (let i = 0; i < sigmas.length; i++) {
    const label = labelOf(sigmas[i] as number, boundaries);
    const { sum, count } = sums.get(label) ?? { sum: 0, count: 0 };
    sums.set(label, { sum: sum + (losses[i] as number), count: count + 1 });
  }
  return Object.fromEntries(Array.from(sums, ([label, { sum, count }]) => [label, sum / count]));
}

function checkBoundaries(boundaries: readonly number[]): void {
  if (boundaries.length < 2) throw new RangeError("sigma buckets need at least two boundaries");
  if (boundaries.some((bound, i) => i > 0 && bound <= (boundaries[i - 1] as number))) {
    throw new RangeError("the boundaries of sigma buckets must increase");
  }
}

function labelOf(sigma: number, boundaries: readonly number[]): string {
  const inner = boundaries.slice(1, -1);
  const bucket = inner.filter((bound) => sigma >= bound).length;
  return boundaries
    .slice(bucket, bucket + 2)
    .map((bound) => bound.toFixed(2))
    .join("-");
}
