import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSafetensors } from "../../../runtime/data/safetensors/index.ts";
import { toFile } from "../../../runtime/checkpoints/lora-weights.ts";
import { weightsPath } from "../../../runtime/checkpoints/checkpoint-files.ts";
import { writeTensorFile } from "../../../runtime/checkpoints/tensor-file.ts";
import { readGoldenTensors, type Case } from "../../case.ts";
import { compare } from "../../compare.ts";
import { toHost } from "../../golden-batch.ts";

/** Saves the case's adapters and compares name, keys, dtypes, metadata and every value with the recorded file. */
export async function replayCheckpoint({ manifest, tensors, directory }: Case): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "ltxc-conformance-"));
  try {
    const path = weightsPath(folder, manifest["global_step"]);
    const adapters = new Map(Array.from(tensors, ([name, tensor]) => [name, toHost(tensor)] as const));
    const file = toFile(adapters, manifest["lora"]);
    await writeTensorFile(
      path,
      { tensors: file.tensors, metadata: { ...file.metadata, ...manifest["metadata"] } },
      manifest["precision"],
    );
    const named = path === join(folder, manifest["relative_path"]) ? [] : [`saved as ${path.slice(folder.length)}`];
    return [...named, ...(await compareFiles(path, join(directory, manifest["file"]), manifest["metadata"]))];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function compareFiles(actualPath: string, expectedPath: string, metadata: object): Promise<string[]> {
  const [actual, expected] = [await readGoldenTensors(actualPath), await readGoldenTensors(expectedPath)];
  const written = await openSafetensors(actualPath);
  await written.close();
  const reasons =
    JSON.stringify(written.metadata) === JSON.stringify(metadata)
      ? []
      : [`metadata ${JSON.stringify(written.metadata)}`];
  for (const [name, tensor] of expected) {
    const found = actual.get(name);
    if (found === undefined) reasons.push(`${name}: missing`);
    else if (found.dtype !== tensor.dtype) reasons.push(`${name}: ${found.dtype} instead of ${tensor.dtype}`);
    else reasons.push(...compare(name, found, tensor, "exact"));
  }
  for (const name of actual.keys()) if (!expected.has(name)) reasons.push(`${name}: should be absent`);
  return reasons;
}
