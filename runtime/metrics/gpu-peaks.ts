import { cardOfDriver } from "./cards.ts";

/** Floating-point operations per second that a card does at most; null for a card that is not known, or that has no such numbers. */
export function gpuPeak(name: string, precision: "float32" | "bfloat16"): number | null {
  const peak = cardOfDriver(name)?.[precision] ?? null;
  return peak === null ? null : 1e12 * peak;
}
