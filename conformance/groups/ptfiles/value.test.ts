import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PtTensor, type PtValue } from "../../../runtime/files/pt/index.ts";
import type { Engine } from "../../../runtime/engine/engine.ts";
import type { GoldenTensor } from "../../case.ts";
import { declared } from "../../checks.ts";
import { checkValue } from "./value.ts";

const test = suite("descriptions of .pt files");

/** Two int16 numbers. */
const tensor = new PtTensor(
  { key: "0", type: "int16", length: 2, bytes: Uint8Array.of(1, 0, 254, 255) },
  [2],
  [1],
  0,
  false,
);
const description = { tensor: { dtype: "I16", shape: [2] }, stride: [1], storage_offset: 0, requires_grad: false };
const stored = (...data: number[]): GoldenTensor => ({ dtype: "I16", shape: [2], data: Float64Array.from(data) });

function check(actual: PtValue, expected: unknown, tensors: Readonly<Record<string, GoldenTensor>> = {}) {
  const replay = declared({ manifest: {} }, (golden, checks) => checkValue(golden, checks, "", actual, expected));
  const golden = {
    group: "ptfiles",
    name: "x",
    directory: "",
    manifest: {},
    tensors: new Map(Object.entries(tensors)),
  };
  return replay(golden, {} as Engine);
}

const nested: PtValue = new Map<PtValue, PtValue>([
  ["sizes", [1, [2.5, [true, null]], "a"]],
  ["parts", [new Map<PtValue, PtValue>([["latents", tensor]]), tensor]],
]);

test("nested lists, dictionaries in lists and tensors in both", async () => {
  const expected = {
    sizes: { type: "tuple", value: [1, [2.5, [true, null]], "a"] },
    parts: [{ latents: description }, description],
  };
  const right = { "parts.0.latents": stored(1, -2), "parts.1": stored(1, -2) };
  assert.equal(await check(nested, expected, right), []);
  const wrong = await check(nested, expected, { ...right, "parts.0.latents": stored(1, -3) });
  assert.match(wrong.join("\n"), /^parts\.0\.latents\[1\]: -2, expected -3; 1 of 2 elements differ\n/);
});

test("the same list in every form of description", async () => {
  const one = { value: 1, type: "int" };
  const inner = { value: "a", type: "str" };
  for (const expected of [
    [one, [inner]],
    [1, ["a"]],
    { type: "list", value: [1, ["a"]] },
    { type: "list", items: [one, { type: "tuple", items: [inner] }] },
    { list: [one, { tuple: [inner] }] },
  ]) {
    assert.equal(await check([1, ["a"]], expected), []);
    assert.is((await check([1, ["b"]], expected)).length, 1, JSON.stringify(expected));
    assert.is((await check([1, ["a"], 2], expected)).length, 1, JSON.stringify(expected));
    assert.is((await check([1, [["a"]]], expected)).length, 1, JSON.stringify(expected));
  }
});

test("types, keys and storages are part of the value", async () => {
  assert.equal(await check(1, { value: 1, type: "bool" }), ["the file is 1, expected the type bool"]);
  assert.equal(await check(1, { value: 1, type: "complex" }), ["the file: no value is of the type complex"]);
  assert.equal(await check(new Map([["b", 1]]), { a: { value: 1, type: "int" } }), [
    'the file: keys is ["b"], expected ["a"]',
  ]);
  const shifted = { a: { ...description, tensor: { dtype: "I32", shape: [2] }, layout: "strided" } };
  const reasons = await check(new Map([["a", tensor]]), shifted, { a: stored(1, -2) });
  assert.ok(reasons.includes("a: no tensor has a layout"));
  assert.ok(reasons.includes('a: storage is "int16", expected "int32"'));
});

test.run();
