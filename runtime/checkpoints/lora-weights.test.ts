import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../contract.ts";
import { toFile, type NamedTensors } from "./lora-weights.ts";
import { readTensorFile, writeTensorFile } from "./tensor-file.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";

const test = suite("lora weights");
const folder = temporaryFolders(test, "lora");
const vectors = fileURLToPath(new URL("../../conformance/vectors/training/", import.meta.url));
const tensor = (shape: readonly number[], ...data: number[]): HostTensor => ({
  shape,
  dtype: "float32",
  data: Float32Array.from(data),
});
const pair: NamedTensors = new Map([
  ["x.lora_A.weight", tensor([1, 2], 1, 2)],
  ["x.lora_B.weight", tensor([2, 1], 3, 4)],
]);
const values = (tensors: NamedTensors) => Array.from(tensors, ([name, { data }]) => [name, ...data]);

for (const name of ["lora_checkpoint_bf16", "lora_checkpoint_ref_metadata"])
  test(`${name}: the file equals the reference's in keys, order, types, values and metadata`, async () => {
    const manifest = JSON.parse(readFileSync(join(vectors, name, "manifest.json"), "utf8"));
    const { tensors } = await readTensorFile(join(vectors, name, "tensors.safetensors"));
    const reference = join(vectors, name, manifest.file);
    const named = toFile(tensors, manifest.lora);
    const path = join(await folder(), "lora.safetensors");
    await writeTensorFile(path, { tensors: named, metadata: manifest.metadata }, manifest.precision);
    const [own, golden] = [await readTensorFile(path), await readTensorFile(reference)];
    assert.equal(own.metadata, golden.metadata);
    assert.equal([...own.tensors.keys()].toSorted(), [...golden.tensors.keys()].toSorted());
    for (const [key, { shape, data }] of golden.tensors) {
      assert.equal(own.tensors.get(key)?.shape, shape, key);
      assert.equal(own.tensors.get(key)?.data, data, key);
    }
  });

test("with alpha = rank nothing is multiplied in", () => {
  assert.equal(values(toFile(pair, { rank: 4, alpha: 4 })), [
    ["diffusion_model.x.lora_A.weight", 1, 2],
    ["diffusion_model.x.lora_B.weight", 3, 4],
  ]);
});

test("alpha / rank goes into B", () => {
  const tensors = toFile(pair, { rank: 4, alpha: 8 });
  assert.equal(values(tensors)[0], ["diffusion_model.x.lora_A.weight", 1, 2]);
  assert.equal(values(tensors)[1], ["diffusion_model.x.lora_B.weight", 6, 8]);
});

test.run();
