/** How much of the mean before a new value leaves standing: about the last fifty values count. */
const memory = 0.96;

/** A running mean in which older values fade; unbiased from the first one on. Values that are no numbers are passed over. */
export function createSmoother(): (value: number) => number {
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
  return values.map(createSmoother());
}
