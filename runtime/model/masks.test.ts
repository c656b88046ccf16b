// Small functions stand in the test that they serve.
/* oxlint-disable unicorn/consistent-function-scoping */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "../engine/index.ts";
import type { HostTensor } from "../contract.ts";
import { attentionBias, contextBias, largest } from "./masks.ts";

const test = suite("masks");
const { engine } = await openEngine("cpu");
const { ops } = engine;
const mask = (shape: readonly number[], values: readonly number[], dtype: "int32" | "float32" | "bool" = "int32") => {
  const types = { int32: Int32Array, float32: Float32Array, bool: Uint8Array };
  return ops.constant({ shape, dtype, data: types[dtype].from(values) } as HostTensor);
};
const read = async (x: Parameters<typeof engine.read>[0]) => {
  const { shape, data } = await engine.read(x);
  return { shape, data: Array.from(data, (v) => v + 0) };
};

test("a context mask of zeros and ones becomes 0 and the lowest number", async () => {
  const expected = { shape: [2, 1, 1, 2], data: [0, -largest, 0, 0] };
  assert.equal(await read(contextBias(ops, mask([2, 2], [1, 0, 1, 1]), 2, 2)), expected);
  assert.equal(await read(contextBias(ops, mask([2, 2], [1, 0, 1, 1], "bool"), 2, 2)), expected);
  const perQuery = contextBias(ops, mask([1, 3, 2], [1, 0, 0, 1, 1, 1]), 1, 2);
  assert.equal(perQuery.shape, [1, 1, 3, 2]);
});

test("a float context mask is additive already, and of two axes it is ambiguous", async () => {
  assert.equal((await read(contextBias(ops, mask([1, 1, 1, 2], [0, -1], "float32"), 1, 2))).data, [0, -1]);
  assert.equal(contextBias(ops, mask([1, 3, 2], [0, 0, 0, 0, 0, 0], "float32"), 1, 2).shape, [1, 1, 3, 2]);
  assert.throws(() => contextBias(ops, mask([1, 2], [0, 0], "float32"), 1, 2), /3 or 4 axes/);
});

test("an attention mask becomes its logarithm, 0 the lowest number", async () => {
  const { shape, data } = await read(attentionBias(ops, mask([1, 2, 2], [1, 0.5, 0, 1e-45], "float32")));
  assert.equal(shape, [1, 1, 2, 2]);
  const expected = [0, Math.log(0.5), -largest, Math.log(2 ** -126)];
  data.forEach((x, i) => assert.ok(Math.abs(x - (expected[i] ?? NaN)) < 1e-5, `[${i}] ${x}`));
  assert.equal(attentionBias(ops, mask([1, 1, 2], [1, 1], "float32")).shape, [1, 1, 1, 2]);
});

test.run();
