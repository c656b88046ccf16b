import { shiftOf } from "../random/samplers.ts";

/** The official sampler shifts by this sequence length, whatever a sample's own is. */
const SHIFT_TOKENS = 4096;
/** The last noise level before 0. */
const TERMINAL = 0.1;

/**
 * `steps + 1` noise levels from 1 down to 0: evenly spaced ones, shifted towards the noisy end, then stretched so that the last but
 * one is 0.1. A single step leads from 1 to 0.
 */
export function sigmaSchedule(steps: number): readonly number[] {
  if (steps === 1) return [1, 0];
  const shift = Math.exp(shiftOf(SHIFT_TOKENS));
  const shifted = Array.from({ length: steps }, (_, i) => shift / (shift + 1 / (1 - i / steps) - 1));
  const stretch = (1 - TERMINAL) / (1 - (shifted.at(-1) ?? 0));
  return [...shifted.map((z) => 1 - (1 - z) * stretch), 0];
}
