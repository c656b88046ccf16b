import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Engine } from "../runtime/engine/engine.ts";
import type { Case, GoldenTensor, Manifest } from "./case.ts";
import { declared } from "./checks.ts";
import { keys } from "./known.ts";

const test = suite("what a case may consist of");
const none = {} as Engine;
const scalar = (value: number): GoldenTensor => ({ dtype: "F32", shape: [], data: Float64Array.of(value) });
const caseOf = (manifest: Manifest, tensors: Readonly<Record<string, GoldenTensor>> = {}): Case => ({
  group: "group",
  name: "name",
  directory: "",
  manifest,
  tensors: new Map(Object.entries(tensors)),
});

const twice = declared(
  { manifest: { settings: keys("factor"), items: keys("name") }, inputs: /^in\./ },
  ({ manifest, tensors }, checks) => {
    const x = (tensors.get("in.x")?.data[0] ?? NaN) * (manifest["settings"]?.factor ?? 2);
    checks.compare("out.x", { shape: [], data: [x] }, "exact");
  },
);

test("a case of which all is known passes", async () => {
  const manifest = {
    case: "name",
    notes: [],
    settings: { factor: 3 },
    outputs: { "out.x": { dtype: "F32", shape: [] } },
  };
  assert.equal(await twice(caseOf(manifest, { "in.x": scalar(1), "out.x": scalar(3) }), none), []);
});

test("unknown keys fail, inside of sections and lists too", async () => {
  const manifest = { hint: 1, settings: { factor: 2, offset: 0 }, items: [{ name: "a" }, { name: "b", size: 1 }] };
  assert.equal(await twice(caseOf(manifest), none), [
    "the manifest has the unknown key hint",
    "the manifest has the unknown key settings.offset",
    "the manifest has the unknown key items[1].size",
  ]);
});

test("a stored tensor that is no input and is never compared fails", async () => {
  const reasons = await twice(caseOf({}, { "in.x": scalar(1), "out.x": scalar(2), "grad.x": scalar(0) }), none);
  assert.equal(reasons, ["grad.x: stored, but it is no known input and nothing was compared with it"]);
});

test("what is made but not stored fails, and so does another value", async () => {
  assert.equal(await twice(caseOf({}, { "in.x": scalar(1) }), none), ["out.x: made, but the case has none"]);
  const wrong = await twice(caseOf({}, { "in.x": scalar(1), "out.x": scalar(5) }), none);
  assert.equal(wrong, ["out.x: 2, expected 5; 1 of 1 elements differ"]);
});

test("the manifest's lists of tensors hold", async () => {
  const tensors = { "in.x": scalar(1), "out.x": scalar(2) };
  const manifest = {
    inputs: { "in.x": { dtype: "BF16", shape: [1] } },
    draws: [{ name: "draw_00", kind: "rand", shape: [], dtype: "F32" }],
  };
  assert.equal(await twice(caseOf(manifest, tensors), none), [
    "in.x: stored as F32 [], listed as BF16 [1]",
    "draw_00: listed in the manifest, but not stored",
  ]);
});

test.run();
