/**
 * The train step against PyTorch on the same machine: same weights, same inputs, same mathematics; PyTorch 2 with fused attention. All
 * sides run in turns, each in a process of its own. Arguments: size, sides, rounds, steps, device; small, all of ours, 2, 4 and cpu if
 * left away. On `cuda`, PyTorch also runs with each block compiled; memory is then what its allocator held, and not known of ours.
 * Our sides, separated by `+`: `onnx`, `torch` (both float32), `torch-bf16`, and other engines by name.
 *
 * Aims, as ratios to PyTorch's bf16: `torch-bf16` at most 0.75 of the time of small and 0.70 of real, and 0.70 of the memory.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { findPythons } from "../scripts/python-environment.ts";
import { writeFiles } from "./pytorch/files.ts";
import { sizes, type Size } from "./pytorch/sizes.ts";

/** Without the settings of the allocator, memory goes back to the system after every tensor. */
const tuned = { OMP_NUM_THREADS: "2", MALLOC_MMAP_THRESHOLD_: "4000000000", MALLOC_TRIM_THRESHOLD_: "8000000000" };

interface Result {
  readonly losses: readonly number[];
  readonly milliseconds: readonly number[];
  readonly peakMiB: number;
}

/** What is compared: a process that prints a line of JSON for each step. */
interface Side {
  readonly name: string;
  readonly isOurs: boolean;
  run(): string;
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

/** Our side as users run it: bundled, next to the threads that compute. */
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

interface Comparison {
  readonly folder: string;
  readonly name: string;
  readonly size: Size;
  readonly steps: string;
  readonly python: string;
  readonly device: string;
}

function ourSides(script: string, names: string, { folder, name, steps, python, device }: Comparison): Side[] {
  return names.split("+").map((side) => ({
    name: side,
    isOurs: true,
    run: () =>
      execFileSync(process.execPath, [script, folder, name, side, steps, python, device], { encoding: "utf8" }),
  }));
}

function theirSides({ folder, size, steps, python, device }: Comparison): Side[] {
  const titles = {
    f32: "PyTorch f32",
    cast: "PyTorch f32, weights widened where used",
    bf16: "PyTorch bf16, autocast",
  };
  const kinds = size.weights === "BF16" ? (["f32", "cast", "bf16"] as const) : (["f32", "bf16"] as const);
  const own = size.isCheckpointed === true ? ["checkpoint"] : [];
  const ways = device === "cuda" ? [own, [...own, "compile"]] : [own];
  const sides = ways.flatMap((options) => kinds.map((kind) => ({ kind, options })));
  return sides.map(({ kind, options }) => ({
    name: options.includes("compile") ? `${titles[kind]}, compiled` : titles[kind],
    isOurs: false,
    run: () => {
      const model = [folder, String(size.layers), String(size.heads), steps, kind];
      const args = [inFolder("step.py"), ...model, device, options.join("+")];
      return execFileSync(python, args, { encoding: "utf8", env: { ...process.env, ...tuned } });
    },
  }));
}

function report(sides: readonly Side[], results: ReadonlyMap<Side, readonly Result[]>): void {
  const of = (side: Side) => results.get(side) ?? [];
  const time = (side: Side) => median(of(side).flatMap(({ milliseconds }) => milliseconds));
  const memory = (side: Side) => median(of(side).map(({ peakMiB }) => peakMiB));
  for (const side of sides) console.log(`  ${side.name}: ${time(side).toFixed(0)} ms, ${memory(side).toFixed(0)} MiB`);
  for (const ours of sides.filter(({ isOurs }) => isOurs))
    for (const theirs of sides.filter(({ isOurs }) => !isOurs)) {
      const [mine, other] = [of(ours)[0]?.losses ?? [], of(theirs)[0]?.losses ?? []];
      const difference = Math.max(...mine.map((loss, i) => Math.abs(loss / (other[i] ?? NaN) - 1)));
      const ratios = `time ${(time(ours) / time(theirs)).toFixed(2)}, memory ${(memory(ours) / memory(theirs)).toFixed(2)}`;
      console.log(
        `  ${ours.name} / ${theirs.name}: ${ratios}; losses differ by at most ${difference.toExponential(1)} of their size`,
      );
    }
}

const [name = "small", sideNames = "onnx+torch+torch-bf16", rounds = "2", steps = "4", device = "cpu"] =
  process.argv.slice(2);
const size = sizes[name];
const { pythons, reason } = findPythons();
// An older PyTorch has no fused attention.
const python = pythons.find(({ torch }) => Number(torch.split(".")[0]) >= 2);
if (size === undefined) throw new Error(`no size ${name}: ${Object.keys(sizes).join(", ")}`);
if (python === undefined) console.log(`skipped: no Python with PyTorch 2: ${reason}`);
else {
  const folder = mkdtempSync(join(tmpdir(), "ltxc-pytorch-"));
  const script = await bundleOurs();
  try {
    await writeFiles(folder, size);
    const comparison: Comparison = { folder, name, size, steps, python: python.path, device };
    const sides = [...ourSides(script, sideNames, comparison), ...theirSides(comparison)];
    const results = new Map<Side, Result[]>(sides.map((side) => [side, []]));
    for (let round = 0; round < Number(rounds); round++)
      for (const side of sides) results.get(side)?.push(resultOf(side.run()));
    console.log(`\nOne step of ${name}, PyTorch ${python.torch}, ${rounds} rounds of ${steps} steps`);
    report(sides, results);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(script, { force: true });
  }
}
