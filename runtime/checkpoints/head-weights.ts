import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { HostTensor, StrategyInfo } from "../contract.ts";
import { openSafetensors } from "../files/safetensors/index.ts";
import type { Finding } from "../findings.ts";
import { headsPath } from "./checkpoint-files.ts";
import { isHead } from "../model/outputs.ts";
import type { NamedTensors } from "./lora-weights.ts";
import { readTensorFile, writeTensorFile } from "./tensor-file.ts";

/**
/**
 * Writes the strategy's own tensors, heads and weights, to `path`, with their declaration in the metadata. Without any, writes nothing.
 * @throws FindingsError LTX6190, LTX6191 when it can not be written
 */
export async function saveHeads(
  path: string | null,
  heads: NamedTensors,
  { name, outputs, weights }: StrategyInfo,
  precision: "bfloat16" | "float32",
): Promise<void> {
  if (heads.size === 0 || path === null) return;
  const ofWeights = weights === undefined ? {} : { weights: JSON.stringify(weights) };
  const declared = { outputs: JSON.stringify(outputs), ...ofWeights };
  await writeTensorFile(path, { tensors: heads, metadata: { strategy: name, ...declared } }, precision);
}

/**
 * Reads the strategy's own tensors next to a weights file, by name. Those that are missing, or whose shape changed with the strategy, start
 * from their initial values; a warning LTX6313 names them.
 */
export async function loadHeads(
  weights: string,
  wanted: readonly { readonly name: string; readonly shape: readonly number[] }[],
): Promise<{ readonly values: NamedTensors; readonly warnings: readonly Finding[] }> {
  if (wanted.length === 0) return { values: new Map(), warnings: [] };
  const path = headsPath(weights);
  const stored = path !== null && existsSync(path) ? (await readTensorFile(path)).tensors : null;
  const fitting = wanted.flatMap(({ name, shape }): [string, HostTensor][] => {
    const value = stored?.get(name);
    return value !== undefined && value.shape.join() === shape.join() ? [[name, value]] : [];
  });
  const values = new Map(fitting);
  const missing = wanted.flatMap(({ name }) => (values.has(name) ? [] : [name]));
  return { values, warnings: startAnew(weights, path, missing, stored !== null) };
}

/** The same warnings from the header of the heads' file alone, by the names of the strategy's own tensors. */
export async function examineHeads(weights: string, names: readonly string[]): Promise<readonly Finding[]> {
  if (names.length === 0) return [];
  const path = headsPath(weights);
  const file = path !== null && existsSync(path) ? await openSafetensors(path) : null;
  await file?.close();
  const missing = names.filter((name) => file?.tensors.has(name) !== true);
  return startAnew(weights, path, missing, file !== null);
}

/** LTX6313 for tensors that the heads' file lacks. */
function startAnew(
  weights: string,
  path: string | null,
  missing: readonly string[],
  isThere: boolean,
): readonly Finding[] {
  if (missing.length === 0) return [];
  const file = path === null ? `the heads of ${basename(weights)}` : path;
  const why = isThere ? `${path} has none of these shapes` : `${file} does not exist`;
  const what = missing.every(isHead)
    ? "the strategy's heads start anew"
    : "what the strategy trains of its own starts anew";
  const message = `${what} (${missing.join(", ")}): ${why}`;
  const help =
    "keep the `heads_*.safetensors` next to its weights, or ignore this after a change of `outputs` or `weights`";
  return [{ code: "LTX6313", severity: "warning", path: ["model", "load_checkpoint"], message, help }];
}
