import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Finding } from "../contract.ts";
import { fail } from "../findings.ts";

const place: Finding["path"] = ["model", "load_checkpoint"];

/** `<output_dir>/checkpoints/lora_weights_step_00250.safetensors`, as the official trainer names it. */
export function weightsPath(outputDirectory: string, step: number): string {
  return join(outputDirectory, "checkpoints", `lora_weights_step_${String(step).padStart(5, "0")}.safetensors`);
}

/**
 * The training state that belongs to a weights file, or null when the file's name has no step. Its content is a safetensors file;
 * its ending is another one, since the official trainer takes every `*step_*.safetensors` for weights.
 */
export function statePath(weights: string): string | null {
  const digits = stepDigits(weights);
  return digits === null ? null : join(dirname(weights), `training_state_step_${digits}.state`);
}

const stepDigits = (weights: string): string | null => /step_(\d+)/.exec(basename(weights))?.[1] ?? null;

/** The heads that belong to a weights file; null and not found by the official trainer for the same reasons. */
export function headsPath(weights: string): string | null {
  const digits = stepDigits(weights);
  return digits === null ? null : join(dirname(weights), `heads_${digits}.safetensors`);
}

/** The training state that the official trainer would have written beside the weights. */
export function officialStatePath(weights: string): string | null {
  return statePath(weights)?.replace(/\.state$/, ".pt") ?? null;
}

/**
 * The weights file that `load_checkpoint` means: the file itself, or the one with the highest step anywhere below a folder; null for
 * a folder without any.
 * @throws FindingsError LTX6307 when there is no such file or folder, or the file is not a .safetensors file
 */
export async function findWeights(path: string): Promise<string | null> {
  const info = await stat(path).catch(() => null);
  if (info === null)
    fail("LTX6307", `${path} does not exist`, "write the path of a LoRA file or of an output folder", place);
  if (info.isDirectory()) return latest(await readdir(path, { recursive: true }), path);
  if (!path.endsWith(".safetensors")) {
    fail(
      "LTX6307",
      `${path} is not a .safetensors file`,
      "write the path of a `lora_weights_step_*.safetensors` file",
      place,
    );
  }
  return path;
}

/**
 * The weights that were saved last in a run's output folder, or null. By time, not by step: an earlier, longer run into the same
 * folder may have left higher steps behind.
 */
export async function lastSaved(outputDirectory: string): Promise<string | null> {
  const folder = join(outputDirectory, "checkpoints");
  const files = await readdir(folder).catch(() => []);
  const weights = files.filter(isWeights).map((file) => join(folder, file));
  const dated = await Promise.all(weights.map(async (path) => ({ path, time: (await stat(path)).mtimeMs })));
  return dated.toSorted((a, b) => b.time - a.time || stepOf(b.path) - stepOf(a.path))[0]?.path ?? null;
}

const isWeights = (file: string): boolean => /step_[^/\\]*\.safetensors$/.test(file);

function latest(files: readonly string[], folder: string): string | null {
  const best = files.filter(isWeights).toSorted((a, b) => stepOf(b) - stepOf(a))[0];
  return best === undefined ? null : join(folder, best);
}

const stepOf = (file: string): number => Number(/step_(\d+)\.safetensors$/.exec(file)?.[1] ?? -1);

/** Keeps the last checkpoints that it was told of and deletes older ones. */
export interface Retention {
  /** The newest checkpoint, with its training state and heads; telling of the same one again changes nothing. */
  saved(weights: string): Promise<void>;
}

/** @param keep how many checkpoints stay; 0 or less: all */
export function createRetention(keep: number): Retention {
  const kept: string[] = [];
  return {
    async saved(weights) {
      if (kept.at(-1) === weights) return;
      kept.push(weights);
      for (const old of keep > 0 ? kept.splice(0, kept.length - keep) : []) {
        for (const path of [old, statePath(old), headsPath(old)]) if (path !== null) await rm(path, { force: true });
      }
    },
  };
}
