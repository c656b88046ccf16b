/** The processes that are compared: ours by engine, and PyTorch's. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { findPythons } from "../../scripts/python-environment.ts";
import { writeFiles } from "./files.ts";
import type { Size } from "./sizes.ts";

/** Without the settings of the allocator, memory goes back to the system after every tensor. */
const tuned = { OMP_NUM_THREADS: "2", MALLOC_MMAP_THRESHOLD_: "4000000000", MALLOC_TRIM_THRESHOLD_: "8000000000" };

export interface Result {
  readonly losses: readonly number[];
  readonly milliseconds: readonly number[];
  readonly peakMiB: number;
}

/** What is compared: a process that prints a line of JSON for each step. */
export interface Side {
  readonly name: string;
  readonly isOurs: boolean;
  run(): string;
}

export function resultOf(output: string): Result {
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

const inFolder = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));

/** Our side as users run it: bundled, next to the threads that compute. */
async function bundleOurs(): Promise<string> {
  const outfile = fileURLToPath(new URL("../../dist/bench-pytorch.mjs", import.meta.url));
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
  /** Of PyTorch's ways to compute; those that the comparison of times has if left away. */
  readonly kinds?: readonly Kind[];
  /** Of all weights and inputs; 1 if left away. */
  readonly seed?: number;
}

/** PyTorch's ways to compute, by the names that `step.py` has for them. */
export const titles = {
  f32: "PyTorch f32",
  cast: "PyTorch f32, weights widened where used",
  bf16: "PyTorch bf16, autocast",
  base: "PyTorch bf16, autocast, all weights in bf16",
} as const;
type Kind = keyof typeof titles;

function ourSides(script: string, names: string, { folder, name, steps, python, device }: Comparison): Side[] {
  return names.split("+").map((side) => ({
    name: side,
    isOurs: true,
    run: () =>
      execFileSync(process.execPath, [script, folder, name, side, steps, python, device], { encoding: "utf8" }),
  }));
}

function theirSides({ folder, size, steps, python, device, ...asked }: Comparison): Side[] {
  const usual = size.weights === "BF16" ? (["f32", "cast", "bf16"] as const) : (["f32", "bf16"] as const);
  const kinds = asked.kinds ?? usual;
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

/** A Python with fused attention, which an older PyTorch does not have; or why there is none. */
export function findPython(): { readonly path: string; readonly torch: string } | { readonly reason: string } {
  const { pythons, reason } = findPythons();
  return (
    pythons.find(({ torch }) => Number(torch.split(".")[0]) >= 2) ?? { reason: `no Python with PyTorch 2: ${reason}` }
  );
}

/** Lets `f` compare the sides of a size, in a folder with its files that is removed afterwards. */
export async function withSides(
  { names, ...given }: Omit<Comparison, "folder"> & { readonly names: string },
  f: (ours: readonly Side[], theirs: readonly Side[]) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ltxc-pytorch-"));
  const script = await bundleOurs();
  try {
    await writeFiles(folder, given.size, given.seed);
    const comparison: Comparison = { ...given, folder };
    f(ourSides(script, names, comparison), theirSides(comparison));
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(script, { force: true });
  }
}
