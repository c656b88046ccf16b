// What is trained on and evaluated of mixed data sets, and which sizes fill a batch of them.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunConfig } from "../config/run-config.ts";
import { FindingsError } from "../findings.ts";
import { checkMixture, divideSamples, mixedSets } from "./mixture.ts";

const test = suite("mixtures");

const dataSet = (name: string, share: number) => ({ name, root: name, share, without: [], place: [] });
const sets = [dataSet("a", 0.75), dataSet("b", 0.25)];
const samples = ["a", "b"].flatMap((set) =>
  Array.from({ length: 8 }, (_, i) => ({ name: `${set}/${i}`, files: {}, set })),
);
const evaluating = (count: number) => ({ evaluation: { samples: count } }) as RunConfig;
const codeOf = (f: () => unknown): string => {
  try {
    f();
    return "accepted";
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    return error.findings.map(({ code, message }) => `${code} ${message}`).join();
  }
};

test("samples are held out by the shares, rounded so that their number is right", () => {
  const heldOut = (count: number) => {
    const { heldOut: held, training } = divideSamples(samples, evaluating(count), sets, [3, 1]);
    assert.is(held.length + training.length, samples.length);
    return ["a", "b"].map((name) => held.filter(({ set }) => set === name).length);
  };
  assert.equal([0, 1, 2, 3, 4, 5].map(heldOut), [
    [0, 0],
    [1, 0],
    [2, 0],
    [2, 1],
    [3, 1],
    [4, 1],
  ]);
  assert.match(
    codeOf(() => heldOut(11)),
    /^LTX6320 8 samples are held out, and the data set has 8/,
  );
});

test("a data set has the samples of its share", () => {
  const divide = (counts: readonly number[]) => divideSamples(samples, evaluating(0), sets, counts);
  assert.match(
    codeOf(() => divide([9, 3])),
    /^LTX6301 a batch holds 9 samples of the data set `a`, which has 8/,
  );
  assert.is(
    codeOf(() => divide([8, 3])),
    "accepted",
  );
});

test("sizes of which a data set has too few for its share are said, and it is an error where there is no other", () => {
  const mixed = mixedSets(samples, sets, [3, 1]);
  // Of `a` 4, 2 and 2, of `b` 4, 4 and 0.
  const of = Int32Array.from([0, 0, 0, 0, 1, 1, 2, 2, 0, 0, 0, 0, 1, 1, 1, 1]);
  const names = ["latents 3 x 2 x 2", "latents 5 x 2 x 2", "latents 1 x 2 x 2"];
  const [found, ...more] = checkMixture(mixed, { of, names, counts: [8, 6, 2] });
  assert.equal(more, []);
  assert.is(found?.code, "LTX6305");
  assert.match(
    found?.message ?? "",
    /3 of `a` and 1 of `b`.*5 x 2 x 2 \(2 of `a`, 4 of `b`\); latents 1 x 2 x 2 \(2 of `a`, 0 of `b`\)/,
  );
  const none = {
    of: of.map((bucket) => (bucket === 0 ? 1 : bucket)).map((bucket, i) => (i < 8 ? 2 : bucket)),
    names,
    counts: [],
  };
  assert.match(
    codeOf(() => checkMixture(mixed, none)),
    /^LTX6302 no size has the samples of a batch, 3 of `a` and 1 of `b`/,
  );
  assert.equal(checkMixture(mixed, { of: of.map(() => 0), names: names.slice(0, 1), counts: [16] }), []);
});

test.run();
