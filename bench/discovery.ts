/**
 * Finds 100,000 samples against `find`, which counts the same files (aim: less than three times its time). By turns in one run: both
 * the search alone, over one directory, and what a run does, which finds every sample in two directories and pairs them.
 */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { discover } from "../runtime/data/dataset.ts";
import type { DataSource } from "../runtime/data/directories.ts";

const count = 100_000;
const perFolder = 1000;
const rounds = 9;

const latents: DataSource = { role: "latents", directory: "latents", kind: "video_latents" };
const conditions: DataSource = { role: "conditions", directory: "conditions", kind: "text_embeddings" };

async function fill(directory: string): Promise<void> {
  for (let first = 0; first < count; first += perFolder) {
    const folder = join(directory, `part_${first / perFolder}`);
    await mkdir(folder, { recursive: true });
    const names = Array.from({ length: perFolder }, (_, i) => join(folder, `clip_${first + i}.pt`));
    await Promise.all(names.map((name) => writeFile(name, "")));
  }
}

/** Milliseconds of `find`, process included. */
function timeFind(directories: readonly string[]): number {
  const paths = directories.map((path) => `'${path}'`).join(" ");
  const began = performance.now();
  const { stdout } = spawnSync("sh", ["-c", `find ${paths} -name '*.pt' | wc -l`], { encoding: "utf8" });
  const took = performance.now() - began;
  if (Number(stdout) !== count * directories.length) throw new Error(`find counted ${stdout}`);
  return took;
}

async function timeDiscovery(root: string, sources: readonly DataSource[]): Promise<number> {
  const began = performance.now();
  const { samples } = await discover(root, sources);
  const took = performance.now() - began;
  if (samples.length !== count) throw new Error(`${samples.length} samples were found`);
  return took;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function compare(root: string, sources: readonly DataSource[]): Promise<void> {
  const directories = sources.map(({ directory }) => join(root, directory));
  const [theirs, ours]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    theirs.push(timeFind(directories));
    ours.push(await timeDiscovery(root, sources));
  }
  const ratio = median(ours) / median(theirs);
  console.log(
    `  in ${sources.length === 1 ? "one directory" : "two directories"}: find ${median(theirs).toFixed(0)} ms,` +
      ` discovery ${median(ours).toFixed(0)} ms, ratio ${ratio.toFixed(2)}, aim: less than 3`,
  );
  if (ratio >= 3) process.exitCode = 1;
}

const root = await mkdtemp(join(tmpdir(), "ltxc-bench-"));
try {
  for (const { directory } of [latents, conditions]) await fill(join(root, directory));
  console.log(`\nDiscovery of ${count} samples, ${rounds} rounds by turns`);
  await compare(root, [latents]);
  await compare(root, [latents, conditions]);
} finally {
  await rm(root, { recursive: true });
}
