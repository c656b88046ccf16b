import { SIGMA_BOUNDARIES, sigmaBuckets } from "../../runtime/metrics/sigma-buckets.ts";
import type { Manifest, Replay } from "../case.ts";

/** Files losses under their noise levels, update by update, and offers the lists that must be refused. */
export const replay: Replay = async ({ manifest }) => {
  const sequences: readonly Manifest[] = manifest["sequences"] ?? [];
  const invalid: readonly Manifest[] = manifest["invalid"] ?? [];
  return [
    ...sequences.flatMap((sequence, i) => replaySequence(`sequence ${i}`, sequence, manifest["tolerance"]?.rtol ?? 0)),
    ...invalid.flatMap(({ boundaries }) =>
      mustThrow(`boundaries [${boundaries}]`, () => sigmaBuckets([], [], boundaries)),
    ),
    ...(manifest["length_mismatch_raises"]
      ? mustThrow("lists of different length", () => sigmaBuckets([0.5], []))
      : []),
  ];
};

function replaySequence(label: string, { boundaries, labels, updates }: Manifest, rtol: number): string[] {
  const bounds: readonly number[] = boundaries ?? SIGMA_BOUNDARIES;
  const middles = bounds.slice(1).map((bound, i) => (bound + (bounds[i] as number)) / 2);
  return [
    ...sameEntries(
      `${label} labels`,
      sigmaBuckets(middles, middles, bounds),
      Object.fromEntries(labels.map((name: string, i: number) => [name, middles[i]])),
      rtol,
    ),
    ...updates.flatMap((update: Manifest, i: number) => {
      const found = sigmaBuckets(update["sigmas"], update["losses"], bounds);
      const named = (prefix: string) =>
        Object.fromEntries(Object.entries(found).map(([bucket, loss]) => [`${prefix}/loss_sigma_${bucket}`, loss]));
      return [
        ...sameEntries(`${label} update ${i}`, named("train"), update["metrics_after"], rtol),
        ...(update["metrics_prefix_val"]
          ? sameEntries(`${label} update ${i}`, named("val"), update["metrics_prefix_val"], rtol)
          : []),
      ];
    }),
  ];
}

/** The same names in the same order with values within the tolerance. */
function sameEntries(
  label: string,
  actual: Record<string, number>,
  expected: Record<string, number>,
  rtol: number,
): string[] {
  const [names, wanted] = [Object.keys(actual), Object.keys(expected)];
  if (names.join() !== wanted.join())
    return [`${label}: ${names.join() || "nothing"}, expected ${wanted.join() || "nothing"}`];
  return wanted
    .filter(
      (name) => !(Math.abs(Number(actual[name]) - Number(expected[name])) <= rtol * Math.abs(Number(expected[name]))),
    )
    .map((name) => `${label} ${name}: ${actual[name]}, expected ${expected[name]}`);
}

function mustThrow(label: string, f: () => unknown): string[] {
  try {
    f();
  } catch (error) {
    return error instanceof RangeError ? [] : [`${label}: ${String(error)}`];
  }
  return [`${label}: accepted, must be refused`];
}
