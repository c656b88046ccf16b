import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSafetensors } from "../../../runtime/files/safetensors/index.ts";
import { toFile } from "../../../runtime/checkpoints/lora-weights.ts";
import { weightsPath } from "../../../runtime/checkpoints/checkpoint-files.ts";
import { writeTensorFile } from "../../../runtime/checkpoints/tensor-file.ts";
import { readGoldenTensors, type Case } from "../../case.ts";
import { declared, type Checks } from "../../checks.ts";
import { compare } from "../../compare.ts";
import { toHost } from "../../golden-batch.ts";
import { keys } from "../../known.ts";

/** Saves the case's adapters and compares name, keys, dtypes, metadata and every value with the recorded file. */
export const replayCheckpoint = declared(
  {
    manifest: {
      ...keys("precision", "global_step", "relative_path", "file", "metadata", "keys", "tolerance"),
      lora: keys("rank", "alpha", "target_modules"),
      // The model and the strategy whose adapters and metadata are given.
      config: true,
      strategy: keys("class", "attributes"),
    },
    inputs: /\.lora_[AB]\.weight$/,
  },
  async ({ manifest, tensors, directory }, checks) => {
    const folder = await mkdtemp(join(tmpdir(), "ltxc-conformance-"));
    try {
      const path = weightsPath(folder, manifest["global_step"]);
      const adapters = new Map(Array.from(tensors, ([name, tensor]) => [name, toHost(tensor)] as const));
      const file = { tensors: toFile(adapters, manifest["lora"]), metadata: manifest["metadata"] };
      await writeTensorFile(path, file, manifest["precision"]);
      checks.same("the file's path", path, join(folder, manifest["relative_path"]));
      await compareFiles(checks, path, join(directory, manifest["file"]), manifest);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

async function compareFiles(
  checks: Checks,
  actualPath: string,
  expectedPath: string,
  { metadata, keys: listed }: Case["manifest"],
): Promise<void> {
  const [actual, expected] = [await readGoldenTensors(actualPath), await readGoldenTensors(expectedPath)];
  const written = await openSafetensors(actualPath);
  await written.close();
  checks.same("metadata", written.metadata, metadata);
  checks.same("names", [...actual.keys()].toSorted(), Object.keys(listed).toSorted());
  for (const [name, tensor] of expected) {
    const found = actual.get(name);
    checks.same(`${name}: dtype`, found?.dtype, tensor.dtype);
    if (found !== undefined) checks.fail(...compare(name, found, tensor, "exact"));
  }
  for (const [name, { dtype, shape }] of actual) {
    if (!expected.has(name)) checks.fail(`${name}: should be absent`);
    checks.same(name, { dtype, shape }, listed[name]);
  }
}
