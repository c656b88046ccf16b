/**
 * The train step against PyTorch on the same machine: same weights, same inputs, same mathematics (aim: at most 0.45 of the time and 0.40 of
 * the memory). Both sides run in turns. Arguments: size, engine, rounds, steps; small, onnx, 2 and 4 if left away.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeFiles } from "./pytorch/files.ts";
import { sizes } from "./pytorch/sizes.ts";

/** Debian's python3-torch is seen by Debian's interpreter alone. */
const python = "/usr/bin/python3";
/** Without these its threads wait busily for each other, and memory goes back to the system after every tensor. */
const tuned = {
  OMP_NUM_THREADS: "2",
  OMP_WAIT_POLICY: "PASSIVE",
  MALLOC_MMAP_THRESHOLD_: "4000000000",
  MALLOC_TRIM_THRESHOLD_: "8000000000",
};

interface Result {
  readonly losses: readonly number[];
  readonly milliseconds: readonly number[];
  readonly peakMiB: number;
}

function reasonToSkip(): string | null {
  const { status } = spawnSync(python, ["-c", "import torch"]);
  return status === 0 ? null : `${python} has no torch; Debian's package is python3-torch`;
}

function resultOf(output: string): Result {
  const lines = output
    .trim()
    .split("\n")
    .map((line): { loss?: number; ms?: number; peakMiB?: number } => JSON.parse(line));
  return {
    losses: lines.flatMap(({ loss }) => (loss === undefined ? [] : [loss])),
    // The first two steps record; the other side warms up.
    milliseconds: lines.flatMap(({ ms }) => (ms === undefined ? [] : [ms])).slice(2),
    peakMiB: lines.at(-1)?.peakMiB ?? NaN,
  };
}

const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
const inFolder = (name: string) => fileURLToPath(new URL(`./pytorch/${name}`, import.meta.url));

/** Our side as users run it: bundled, beside the thread that computes. */
async function bundleOurs(): Promise<string> {
  const outfile = fileURLToPath(new URL("../dist/bench-pytorch.mjs", import.meta.url));
  await build({
    entryPoints: [inFolder("ours.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "error",
  });
  return outfile;
}

function runOurs(script: string, folder: string, name: string, engine: string, steps: string): Result {
  return resultOf(execFileSync(process.execPath, [script, folder, name, engine, steps], { encoding: "utf8" }));
}

function runTheirs(folder: string, name: string, steps: string, weights: "f32" | "cast"): Result {
  const { layers = 0, heads = 0 } = sizes[name] ?? {};
  const args = [inFolder("step.py"), folder, String(layers), String(heads), steps, weights];
  return resultOf(execFileSync(python, args, { encoding: "utf8", env: { ...process.env, ...tuned } }));
}

function report(label: string, ours: readonly Result[], theirs: readonly Result[]): void {
  const time = (results: readonly Result[]) => median(results.flatMap(({ milliseconds }) => milliseconds));
  const memory = (results: readonly Result[]) => median(results.map(({ peakMiB }) => peakMiB));
  const difference = Math.max(
    ...(ours[0]?.losses ?? []).map((loss, i) => Math.abs(loss / (theirs[0]?.losses[i] ?? NaN) - 1)),
  );
  const [ms, their] = [time(ours), time(theirs)];
  const [mib, theirMib] = [memory(ours), memory(theirs)];
  console.log(`  ${label}: ${their.toFixed(0)} ms, ${theirMib.toFixed(0)} MiB`);
  console.log(
    `    ratio of time ${(ms / their).toFixed(2)}, of memory ${(mib / theirMib).toFixed(2)}; losses differ by at most ${difference.toExponential(1)} of their size`,
  );
}

const [name = "small", engine = "onnx", rounds = "2", steps = "4"] = process.argv.slice(2);
const size = sizes[name];
const reason = reasonToSkip();
if (size === undefined) throw new Error(`no size ${name}: ${Object.keys(sizes).join(", ")}`);
if (reason !== null) console.log(`skipped: ${reason}`);
else {
  const folder = mkdtempSync(join(tmpdir(), "ltxc-pytorch-"));
  const script = await bundleOurs();
  try {
    await writeFiles(folder, size);
    const kinds = size.weights === "BF16" ? (["f32", "cast"] as const) : (["f32"] as const);
    const [ours, theirs]: [Result[], Record<string, Result[]>] = [[], { f32: [], cast: [] }];
    for (let round = 0; round < Number(rounds); round++) {
      ours.push(runOurs(script, folder, name, engine, steps));
      for (const kind of kinds) theirs[kind]?.push(runTheirs(folder, name, steps, kind));
    }
    const ms = median(ours.flatMap(({ milliseconds }) => milliseconds));
    console.log(
      `\nOne step of ${name} (${engine}): ${ms.toFixed(0)} ms, ${median(ours.map((x) => x.peakMiB)).toFixed(0)} MiB`,
    );
    for (const kind of kinds)
      report(`PyTorch, weights ${kind === "f32" ? "in float32" : "widened where used"}`, ours, theirs[kind] ?? []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(script, { force: true });
  }
}
