import { SIGMA_BOUNDARIES, sigmaBuckets } from "../../runtime/metrics/sigma-buckets.ts";
import type { Manifest } from "../case.ts";
import { declared, type Checks } from "../checks.ts";
import { keys, limits } from "../known.ts";
import type { Tolerance } from "../compare.ts";

/** Files losses under their noise levels, update by update, and offers the lists that must be refused. */
export const replay = declared(
  {
    manifest: {
      config: {},
      sequences: {
        ...keys("boundaries", "labels", "initial_metrics"),
        updates: keys("sigmas", "losses", "metrics_after", "metrics_prefix_val"),
      },
      invalid: keys("boundaries", "raises", "message"),
      length_mismatch_raises: true,
      tolerance: limits(),
    },
  },
  ({ manifest }, checks) => {
    const sequences: readonly Manifest[] = manifest["sequences"] ?? [];
    const invalid: readonly Manifest[] = manifest["invalid"] ?? [];
    const tolerance: Tolerance = manifest["tolerance"] ?? "exact";
    sequences.forEach((sequence, i) => replaySequence(checks, `sequence ${i}`, sequence, tolerance));
    for (const { boundaries } of invalid) {
      mustThrow(checks, `boundaries [${boundaries}]`, () => sigmaBuckets([], [], boundaries));
    }
    if (manifest["length_mismatch_raises"]) {
      mustThrow(checks, "lists of different length", () => sigmaBuckets([0.5], []));
    }
  },
);

function replaySequence(checks: Checks, label: string, sequence: Manifest, tolerance: Tolerance): void {
  const { boundaries, labels, initial_metrics, updates } = sequence;
  const bounds: readonly number[] = boundaries ?? SIGMA_BOUNDARIES;
  const middles = bounds.slice(1).map((bound, i) => (bound + (bounds[i] as number)) / 2);
  checks.same(`${label} labels`, Object.keys(sigmaBuckets(middles, middles, bounds)), labels);
  checks.same(`${label} initial metrics`, sigmaBuckets([], [], bounds), initial_metrics ?? {});
  (updates as readonly Manifest[]).forEach((update, i) => {
    const found = sigmaBuckets(update["sigmas"], update["losses"], bounds);
    for (const [prefix, key] of [
      ["train", "metrics_after"],
      ["val", "metrics_prefix_val"],
    ] as const) {
      const expected: Readonly<Record<string, number>> | undefined = update[key];
      if (expected === undefined) continue;
      const names = Object.keys(found).map((bucket) => `${prefix}/loss_sigma_${bucket}`);
      checks.same(`${label} update ${i} ${key}`, names, Object.keys(expected));
      checks.numbers(`${label} update ${i} ${key}`, Object.values(found), Object.values(expected), tolerance);
    }
  });
}

function mustThrow(checks: Checks, label: string, f: () => unknown): void {
  try {
    f();
    checks.fail(`${label}: accepted, must be refused`);
  } catch (error) {
    if (!(error instanceof RangeError)) checks.fail(`${label}: ${String(error)}`);
  }
}
