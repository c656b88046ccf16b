/** Rules of JSON Schema that take more than a comparison. Imports nothing: compiler and runtime both use it. */

/** Whether `value` is a multiple of `step`, as far as float64 numbers can tell. */
export function isMultiple(value: number, step: number): boolean {
  const quotient = value / step;
  return Math.abs(quotient - Math.round(quotient)) <= 1e-9 * Math.max(1, Math.abs(quotient));
}

/** Whether a text matches a pattern anywhere; a pattern that is no regular expression of JavaScript matches nothing. */
export function matches(value: string, pattern: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return false;
  }
}
