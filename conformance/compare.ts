/** |actual - expected| <= atol + rtol * |expected|; a missing term is 0. "exact" means equal. */
export type Tolerance = "exact" | { readonly atol?: number; readonly rtol?: number };

/** Anything with row-major numbers: a host tensor or a golden one. */
export interface Numbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Why `actual` is not `expected`, with place and values of the worst element; empty when they agree. NaN equals NaN only. */
export function compare(label: string, actual: Numbers, expected: Numbers, tolerance: Tolerance): string[] {
  if (actual.shape.join() !== expected.shape.join()) {
    return [`${label}: shape [${actual.shape.join(", ")}], expected [${expected.shape.join(", ")}]`];
  }
  if (actual.data.length !== expected.data.length) {
    return [`${label}: ${actual.data.length} elements, expected ${expected.data.length}`];
  }
  const worst = worstElement(actual.data, expected.data, tolerance);
  if (worst === null) return [];
  const { index, wrong } = worst;
  const place = expected.shape.length === 0 ? label : `${label}[${coordinates(index, expected.shape).join(", ")}]`;
  const values = `${actual.data[index]}, expected ${expected.data[index]}`;
  return [`${place}: ${values}; ${wrong} of ${expected.data.length} elements differ${describe(tolerance)}`];
}

/** Of an element by its row-major number. */
function coordinates(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return shape
    .toReversed()
    .map((size) => {
      const at = rest % size;
      rest = (rest - at) / size;
      return at;
    })
    .toReversed();
}

function worstElement(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance) {
  const { atol = 0, rtol = 0 } = tolerance === "exact" ? {} : tolerance;
  let [index, wrong, largest] = [-1, 0, -1];
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    if (Object.is(a, e) || a === e) continue;
    const excess = Math.abs(a - e) - (atol + rtol * Math.abs(e));
    if (excess <= 0) continue;
    wrong++;
    // A NaN excess (one side not a number) outranks every finite one.
    const rank = Number.isNaN(excess) ? Infinity : excess;
    if (rank > largest) [index, largest] = [i, rank];
  }
  return wrong === 0 ? null : { index, wrong };
}

function describe(tolerance: Tolerance): string {
  if (tolerance === "exact") return "";
  return ` by more than ${tolerance.atol ?? 0} + ${tolerance.rtol ?? 0} * |expected|`;
}
