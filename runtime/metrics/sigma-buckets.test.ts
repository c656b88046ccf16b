import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sigmaBuckets } from "./sigma-buckets.ts";

const test = suite("sigma buckets");

test("a boundary belongs to the bucket above it, what is outside to the nearest", () => {
  assert.equal(sigmaBuckets([0.25, 0.2499], [1, 2]), { "0.25-0.50": 1, "0.00-0.25": 2 });
  assert.equal(sigmaBuckets([1, 1.5, -0.5], [1, 3, 5]), { "0.75-1.00": 2, "0.00-0.25": 5 });
});

test("buckets come in the order in which they were first hit, empty ones not at all", () => {
  assert.equal(Object.keys(sigmaBuckets([0.9, 0.1, 0.95], [1, 1, 1])), ["0.75-1.00", "0.00-0.25"]);
  assert.equal(sigmaBuckets([], []), {});
});

test("boundaries that make no buckets, and lists of different length, are refused", () => {
  assert.throws(() => sigmaBuckets([], [], [0.5]), /at least two/);
  assert.throws(() => sigmaBuckets([], [], [0, 0]), /must increase/);
  assert.throws(() => sigmaBuckets([0.5], []), /1 noise levels for 0 losses/);
});

test.run();
