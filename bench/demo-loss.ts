/** The demo's loss over three seeds: median of the last 20 steps against that of the first 20 (aim: at most 0.7). */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "../bin/run-view/curve.ts";
import type { TrainEvent } from "../runtime/metrics/events.ts";

const ltxc = fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ltxc-demo-"));
const config = join(folder, "train.yaml");

function run(...args: readonly string[]): string {
  const done = spawnSync(process.execPath, [ltxc, ...args], { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(`ltxc ${args.join(" ")} failed:\n${done.stderr}`);
  return done.stdout;
}

function losses(seed: number): number[] {
  writeFileSync(config, readFileSync(config, "utf8").replace(/^seed: .*$/m, `seed: ${seed}`));
  const events = run("run", "--json").trim().split("\n");
  return events
    .map((line): TrainEvent => JSON.parse(line))
    .flatMap((event) => (event.type === "step" ? [event.loss] : []));
}

try {
  run("init");
  run("compile");
  console.log("\nDemo: loss of the last 20 steps against the first 20, medians");
  for (const seed of [1, 2, 3]) {
    const began = performance.now();
    const all = losses(seed);
    const [start, end] = [median(all.slice(0, 20)), median(all.slice(-20))];
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(
      `  seed ${seed}: ${start.toFixed(3)} -> ${end.toFixed(3)}, ratio ${(end / start).toFixed(2)}, ${seconds} s`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
