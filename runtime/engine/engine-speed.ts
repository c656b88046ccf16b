/** The speeds of engines on this machine: measured once, and known from then on to this process and to later ones. */
import { join } from "node:path";
import type { Engine, Precision } from "./engine.ts";
import { measureEngine } from "./measure.ts";
import { titleOf, type Candidate } from "./open-engine.ts";
import { buildId, cacheFolder } from "./recording/cache-folder.ts";
import { readSpeed, saveSpeed, type MeasuredSpeed } from "./saved-speeds.ts";

/** Where speeds are saved; null where that is nowhere. */
function speedsFile(): string | null {
  const cache = cacheFolder();
  return cache === null ? null : join(cache, "ltxc", "speeds.json");
}

const speeds = new Map<string, Promise<MeasuredSpeed>>();

/** By what name a speed is known and saved. */
const speedKey = (candidate: Candidate, precision: Precision): string =>
  precision === "float32" ? titleOf(candidate) : `${titleOf(candidate)}, ${precision}`;

/** The speed of an engine as it was measured last on this machine; null if it never was. */
export function savedSpeed(candidate: Candidate, precision: Precision): MeasuredSpeed | null {
  const [file, build] = [speedsFile(), buildId()];
  return file === null || build === null ? null : readSpeed(file, speedKey(candidate, precision), build);
}

/** The speed of an open engine, as it was measured last on this machine, or now if it never was. */
export async function speedOf(candidate: Candidate, engine: Engine): Promise<MeasuredSpeed> {
  const precision = engine.precision ?? "float32";
  const saved = savedSpeed(candidate, precision) ?? speeds.get(speedKey(candidate, precision));
  return saved ?? measured(candidate, engine);
}

/** Measures an engine, for all that ask for its speed from now on. */
export function measured(candidate: Candidate, engine: Engine): Promise<MeasuredSpeed> {
  const key = speedKey(candidate, engine.precision ?? "float32");
  const [file, build] = [speedsFile(), buildId()];
  const measuring = measureEngine(engine).then((rates) => {
    const speed = { ...rates, measuredAt: new Date().toISOString() };
    if (file !== null && build !== null) saveSpeed(file, key, build, speed);
    return speed;
  });
  speeds.set(key, measuring);
  return measuring;
}
