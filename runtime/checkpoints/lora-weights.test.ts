import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../contract.ts";
import { FindingsError } from "../findings.ts";
import { fitAdapters, fromFile, toFile, type NamedTensors } from "./lora-weights.ts";
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
    const { tensors: named } = toFile(tensors, manifest.lora);
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

test("with alpha = rank nothing is multiplied in and nothing recorded", () => {
  const { tensors, metadata } = toFile(pair, { rank: 4, alpha: 4 });
  assert.equal(metadata, {});
  assert.equal(values(tensors), [
    ["diffusion_model.x.lora_A.weight", 1, 2],
    ["diffusion_model.x.lora_B.weight", 3, 4],
  ]);
});

test("alpha / rank goes into B on saving and comes out again for the run's own alpha", () => {
  const { tensors, metadata } = toFile(pair, { rank: 4, alpha: 8 });
  assert.equal(values(tensors)[1], ["diffusion_model.x.lora_B.weight", 6, 8]);
  assert.equal(values(fromFile(tensors, metadata, { rank: 4, alpha: 8 })), values(pair));
  assert.equal(values(fromFile(tensors, metadata, { rank: 4, alpha: 2 }))[1], ["x.lora_B.weight", 12, 16]);
});

test("a file of the official trainer is taken as it is", () => {
  const { tensors } = toFile(pair, { rank: 4, alpha: 4 });
  assert.equal(values(fromFile(tensors, {}, { rank: 4, alpha: 8 })), values(pair));
});

const wanted = [
  { name: "x.lora_A.weight", shape: [1, 2] },
  { name: "x.lora_B.weight", shape: [2, 1] },
];

function findingsOf(f: () => unknown): string[] {
  try {
    f();
    return [];
  } catch (error) {
    return error instanceof FindingsError
      ? error.findings.map(({ code, message }) => `${code} ${message}`)
      : [String(error)];
  }
}

test("adapters that are missing or unknown are warnings, and named", () => {
  const loaded = new Map([...pair].slice(0, 1)).set("y.lora_A.weight", tensor([1], 1));
  const { values: fitted, warnings } = fitAdapters("f", loaded, wanted);
  assert.is(fitted[0]?.data[1], 2);
  assert.is(fitted[1], null);
  assert.equal(
    warnings.map(({ code, message }) => `${code} ${message}`),
    [
      "LTX6310 f lacks 1 of the adapters: x.lora_B.weight",
      "LTX6310 f has, without use, 1 of the adapters: y.lora_A.weight",
    ],
  );
});

test("wrong shapes, and a file without any adapter of the model, are errors", () => {
  const wrong = new Map(pair).set("x.lora_A.weight", tensor([2, 2], 1, 2, 3, 4));
  assert.equal(
    findingsOf(() => fitAdapters("f", wrong, wanted)),
    ["LTX6311 f: x.lora_A.weight is [2, 2], this run's is [1, 2]"],
  );
  assert.equal(
    findingsOf(() => fitAdapters("f", new Map(), wanted)),
    ["LTX6311 f has no adapter of this model"],
  );
});

test.run();
