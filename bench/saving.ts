/**
 * Saves 256 MiB with and without a checksum, in the same pieces and in turns, flushed to the disk (aim: at most 1.3 times as long, by
 * the medians). It writes to the folder of temporary files, or to the one that TMPDIR names; in memory it would measure the hash alone.
 * Use: npm run bench -- saving[=ROUNDS[,MiB]]
 */
import { mkdtemp, rm, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { writeAtomically } from "../runtime/files/atomic.ts";
import { openSafetensors } from "../runtime/files/safetensors/index.ts";
import { PIECE_BYTES, writeSafetensors } from "../runtime/files/safetensors/write.ts";

const [rounds = 15, mebibytes = 256] = process.argv.slice(2).map(Number);
const size = mebibytes * 2 ** 20;
const MOST = 1.3;

/** Linux's number of file systems in memory. */
const TMPFS = 0x01021994;

/** Numbers that no file system can compress or leave out. */
function noise(): Uint8Array {
  const words = new Uint32Array(size / 4);
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  return new Uint8Array(words.buffer);
}

async function withChecksum(path: string, data: Uint8Array): Promise<void> {
  await writeSafetensors(path, [{ name: "w", shape: [size / 4], dtype: "F32", data }]);
}

/** The same calls of the system, without the hash. */
async function without(path: string, data: Uint8Array): Promise<void> {
  await writeAtomically(path, size, async (sink) => {
    for (let at = 0; at < size; at += PIECE_BYTES) await sink(data.subarray(at, at + PIECE_BYTES));
  });
}

/** Milliseconds of one save into a folder without the file. */
async function timed(save: typeof without, path: string, data: Uint8Array): Promise<number> {
  await rm(path, { force: true });
  const began = performance.now();
  await save(path, data);
  const taken = performance.now() - began;
  const { size: written } = await stat(path);
  if (written < size) throw new Error(`${path} has ${written} bytes instead of ${size}`);
  return taken;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

/** Half of the values lie between these. */
const spread = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.25, 0.75].map((part) => sorted[Math.floor(part * (sorted.length - 1))]?.toFixed(0)).join(" to ");
};

async function verify(path: string): Promise<void> {
  const file = await openSafetensors(path);
  await file.verify();
  await file.close();
}

const folder = await mkdtemp(join(tmpdir(), "ltxc-saving-"));
try {
  console.log(
    `\nSaving ${mebibytes} MiB, flushed to the disk, ${rounds} rounds in turns, in pieces of ${PIECE_BYTES / 1024} KiB`,
  );
  if ((await statfs(folder)).type === TMPFS)
    console.log("  this folder is in memory: choose one on a disk with the variable TMPDIR for numbers that count");
  const data = noise();
  const path = join(folder, "weights.safetensors");
  const [hashed, plain]: [number[], number[]] = [[], []];
  // The first round only warms up; who begins alternates.
  for (let round = 0; round <= rounds; round++) {
    const turns = [() => timed(withChecksum, path, data), () => timed(without, path, data)] as const;
    const times = [NaN, NaN];
    for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) times[i] = (await turns[i]?.()) ?? NaN;
    if (round > 0) hashed.push(times[0] ?? NaN);
    if (round > 0) plain.push(times[1] ?? NaN);
  }
  await withChecksum(path, data);
  await verify(path);
  const ratio = median(hashed) / median(plain);
  for (const [name, times] of [
    ["without a checksum", plain],
    ["with SHA-256", hashed],
  ] as const)
    console.log(`  ${name.padEnd(20)} ${median(times).toFixed(0).padStart(6)} ms (half of them ${spread(times)} ms)`);
  console.log(`  ratio ${ratio.toFixed(2)}, aim: at most ${MOST}`);
  if (!(ratio <= MOST)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
