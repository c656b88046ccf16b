import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../contract.ts";
import { decodeState, encodeState, savedFingerprint, type TrainingState } from "./training-state.ts";

const test = suite("training state");
const tensor = (...data: number[]): HostTensor => ({
  shape: [data.length],
  dtype: "float32",
  data: Float32Array.from(data),
});
const fingerprint = { optimizer_type: "adamw", scheduler_type: "linear", training_mode: "lora", lora_rank: 8 };
const parameters = [
  { name: "a", shape: [2] },
  { name: "b", shape: [1] },
];
const names = parameters.map(({ name }) => name);
const full: TrainingState = {
  globalStep: 7,
  fingerprint,
  full: { parameters: [tensor(1, 2), tensor(3)], moments: [{ t: 7, m: tensor(4, 5), v: tensor(6, 7) }, null] },
};

test("a full state comes back as it was, with parameters that were never updated", () => {
  assert.equal(decodeState(encodeState(full, names), parameters), full);
});

test("a minimal state holds no tensors", () => {
  const minimal = { ...full, full: null };
  const file = encodeState(minimal, names);
  assert.is(file.tensors.size, 0);
  assert.equal(decodeState(file, parameters), minimal);
});

test("what run saved a state can be told by the metadata alone", () => {
  assert.equal(savedFingerprint(encodeState(full, names).metadata), fingerprint);
  assert.is(savedFingerprint({}), null);
});

test("a state of other adapters says so", () => {
  const other = [{ name: "a", shape: [3] }, ...parameters.slice(1)];
  assert.is(decodeState(encodeState(full, names), other), "it does not fit the weights of this run (a)");
  const fewer = parameters.slice(0, 1);
  assert.is(decodeState(encodeState(full, names), fewer), "it does not fit the weights of this run");
});

test("what is no state is no state", () => {
  for (const text of [undefined, "", "{}", "null", '{"global_step": -1, "config_fingerprint": {}, "updates": null}']) {
    const metadata = text === undefined ? {} : { training_state: text };
    assert.is(decodeState({ tensors: new Map(), metadata }, parameters), "it is not a training state");
  }
});

test.run();
