/** Adding and subtracting it rounds a float32 below 2^22 to a whole number, ties to even. */
const ROUNDER = 1.5 * 2 ** 23;

/** The nearest whole number of a float32 whose size is below 2^22, of two the even one. Larger numbers stay large. */
export const roundHalfEven = (x: number): number => Math.fround(x + ROUNDER) - ROUNDER;
