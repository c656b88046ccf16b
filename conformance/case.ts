import { readdir, readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openSafetensors } from "../runtime/files/safetensors/index.ts";
import type { Engine } from "../runtime/engine/engine.ts";
import { widen } from "./widen.ts";

/** A stored tensor, widened to float64, which holds every dtype but large int64 exactly. */
export interface GoldenTensor {
  /** As in the file: F32, BF16, I64, BOOL, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** A manifest is JSON of many shapes; a replay reads the fields that its group defines. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Manifest = Readonly<Record<string, any>>;

export interface Case {
  readonly group: string;
  readonly name: string;
  readonly directory: string;
  readonly manifest: Manifest;
  /** Of tensors.safetensors; empty for cases without it. */
  readonly tensors: ReadonlyMap<string, GoldenTensor>;
}

/** Replays one case through the public parts of the project; returns the reasons of failure, none when it passed. */
export type Replay = (golden: Case, engine: Engine) => Promise<readonly string[]>;

/** All tensors of a safetensors file, by name. */
export async function readGoldenTensors(path: string): Promise<ReadonlyMap<string, GoldenTensor>> {
  const file = await openSafetensors(path);
  try {
    const tensors = new Map<string, GoldenTensor>();
    for (const [name, { dtype, shape }] of file.tensors) {
      tensors.set(name, { dtype, shape, data: widen(dtype, await file.read(name)) });
    }
    return tensors;
  } finally {
    await file.close();
  }
}

export async function loadCase(root: string, group: string, name: string): Promise<Case> {
  const directory = join(root, group, name);
  const manifest = JSON.parse(await readFile(join(directory, "manifest.json"), "utf8")) as Manifest;
  const stored = join(directory, "tensors.safetensors");
  return {
    group,
    name,
    directory,
    manifest,
    tensors: existsSync(stored) ? await readGoldenTensors(stored) : new Map(),
  };
}

/** Names of the folders directly below `path`, sorted; none when `path` is missing. */
export async function folders(path: string): Promise<string[]> {
  if (!existsSync(path)) return [];
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}

/** A tensor that the case must have. */
export function golden(tensors: ReadonlyMap<string, GoldenTensor>, name: string): GoldenTensor {
  const found = tensors.get(name);
  if (found === undefined) throw new Error(`the case has no tensor ${name}`);
  return found;
}
