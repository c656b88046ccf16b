/**
 * Reads data files against PyTorch's `torch.load`, by turns in one run (aim: at least as fast). PyTorch writes them, with the entries
 * and sizes of the official preprocessing; safetensors files hold the same tensors. Each turn reads all files of a kind one after the
 * other: as they are stored, which is what `torch.load` gives, and as float32, the last few kept as a run does that reads ahead.
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withEntries } from "../runtime/data/entries.ts";
import { prefetch } from "../runtime/data/prefetch.ts";
import { isTensor, toFloat32, withPt } from "../runtime/files/pt/index.ts";
import { openSafetensors, writeSafetensors } from "../runtime/files/safetensors/index.ts";
import { startTorch, type Torch, type TorchFile } from "./torch-load.ts";

const files = 16;
const kept = 4;
/** The run config's `num_dataloader_workers`, by default. */
const ahead = 2;
const rounds = 9;

/** Reads a file; the tensors by name, as float32 where `widen` is set. */
type Read = (path: string, widen: boolean) => Promise<ReadonlyMap<string, unknown>>;

/** As a run reads samples. */
const readPtFile: Read = (path, widen) =>
  withPt(path, (value) => {
    const entries = value instanceof Map ? [...value] : [];
    return new Map(entries.map(([key, entry]) => [String(key), isTensor(entry) && widen ? toFloat32(entry) : entry]));
  });

const readSafetensors: Read = async (path, widen) => {
  const file = await openSafetensors(path);
  try {
    const tensors = new Map<string, unknown>();
    for (const key of file.tensors.keys()) tensors.set(key, await (widen ? file.readFloat32(key) : file.read(key)));
    return tensors;
  } finally {
    await file.close();
  }
};

const safetensorsPath = (path: string) => path.replace(/\.pt$/, ".safetensors");

async function writeAsSafetensors({ path, tensors }: TorchFile): Promise<void> {
  const list = await withEntries(path, (entries) =>
    Object.keys(tensors).map((name) => {
      const { shape, storage, values } = entries.tensor(name);
      return { name, shape, dtype: storage === "bfloat16" ? ("BF16" as const) : ("F32" as const), data: values };
    }),
  );
  await writeSafetensors(safetensorsPath(path), list);
}

async function check(read: Read, path: string, tensors: TorchFile["tensors"]): Promise<void> {
  const found = await read(path, true);
  for (const [key, wanted] of Object.entries(tensors)) {
    const values = found.get(key);
    if (!(values instanceof Float32Array)) throw new Error(`${path} has no ${key}`);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const hash = createHash("sha256").update(bytes).digest("hex");
    if (hash !== wanted) throw new Error(`${path}: ${key} is not what PyTorch wrote`);
  }
}

/** The files of a sample are read together. */
async function seconds(read: Read, paths: readonly string[], widen: boolean): Promise<number> {
  const last: unknown[] = [];
  const began = performance.now();
  const together = paths.length / files;
  const readSample = (i: number) =>
    Promise.all(paths.slice(i * together, (i + 1) * together).map((path) => read(path, widen)));
  const samples = prefetch(readSample, { ahead, end: files });
  for (let i = 0; i < files; i++) {
    const tensors = await samples.load(i);
    if (widen) last.push(tensors);
    if (last.length > kept) last.shift();
  }
  return (performance.now() - began) / 1000;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function compare(torch: Torch, kind: string, widen: boolean): Promise<void> {
  const paths = torch.kinds[kind]?.map(({ path }) => path) ?? [];
  const others = paths.map(safetensorsPath);
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const megabytes = sizes.reduce((sum, size) => sum + size, 0) / files / 1e6;
  const [theirs, pt, safetensors]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round <= rounds; round++) {
    theirs.push(await torch.seconds(kind, widen));
    pt.push(await seconds(readPtFile, paths, widen));
    safetensors.push(await seconds(readSafetensors, others, widen));
  }
  // The first round only warms up.
  const ms = (times: readonly number[]) => (median(times.slice(1)) / files) * 1000;
  const shown = (times: readonly number[]) =>
    `${ms(times).toFixed(2).padStart(6)} ms, ratio ${(ms(theirs) / ms(times)).toFixed(2)}`;
  console.log(
    `  ${`${kind} (${megabytes.toFixed(2)} MB)`.padEnd(40)} torch.load ${ms(theirs).toFixed(2).padStart(6)} ms` +
      `   .pt ${shown(pt)}   safetensors ${shown(safetensors)}`,
  );
}

const folder = await mkdtemp(join(tmpdir(), "ltxc-bench-"));
const torch = await startTorch(folder, files, kept);
try {
  if (torch === null) {
    console.log("\nReading: skipped, /usr/bin/python3 has no torch to compare with");
  } else {
    for (const file of Object.values(torch.kinds).flat()) {
      await writeAsSafetensors(file);
      await check(readPtFile, file.path, file.tensors);
      await check(readSafetensors, safetensorsPath(file.path), file.tensors);
    }
    console.log(
      `\nReading ${files} files of each kind, ${rounds} rounds by turns; PyTorch ${torch.version}, warm cache`,
    );
    for (const widen of [false, true]) {
      console.log(widen ? "as float32; torch.load and .float()" : "as stored");
      for (const kind of Object.keys(torch.kinds)) await compare(torch, kind, widen);
    }
  }
} finally {
  torch?.end();
  await rm(folder, { recursive: true });
}
