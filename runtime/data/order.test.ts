import { suite } from "uvu";
import * as assert from "uvu/assert";
import { permutation } from "../random/philox.ts";
import { createOrder } from "./order.ts";

const test = suite("order");
const batches = (order: (index: number) => readonly number[], from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => order(from + i));

test("an epoch holds every sample at most once, in full batches", () => {
  const order = createOrder({ samples: 11, batchSize: 3, seed: 7 }, permutation);
  for (const epoch of [0, 1, 2]) {
    const seen = batches(order, epoch * 3, epoch * 3 + 3);
    assert.equal(
      seen.map(({ length }) => length),
      [3, 3, 3],
    );
    assert.is(new Set(seen.flat()).size, 9);
    assert.ok(seen.flat().every((sample) => sample >= 0 && sample < 11));
  }
});

test("every sample's turn comes, though some are left over each time", () => {
  const order = createOrder({ samples: 5, batchSize: 4, seed: 1 }, permutation);
  assert.is(new Set(batches(order, 0, 20).flat()).size, 5);
});

test("follows the permutation of seed and epoch", () => {
  const asked: number[][] = [];
  const order = createOrder({ samples: 4, batchSize: 2, seed: 9 }, (seed, epoch, n) => {
    asked.push([seed, epoch, n]);
    return epoch === 0 ? [3, 1, 0, 2] : [2, 0, 1, 3];
  });
  assert.equal(batches(order, 0, 4), [
    [3, 1],
    [0, 2],
    [2, 0],
    [1, 3],
  ]);
  assert.equal(asked, [
    [9, 0, 4],
    [9, 1, 4],
  ]);
});

test("a run that begins in the middle has the samples of an uninterrupted one", () => {
  const options = { samples: 7, batchSize: 2, seed: 42 };
  const whole = batches(createOrder(options, permutation), 0, 20);
  assert.equal(batches(createOrder(options, permutation), 8, 20), whole.slice(8));
  const other = batches(createOrder({ ...options, seed: 43 }, permutation), 0, 20);
  assert.not.equal(other, whole);
});

test("a batch holds samples of one bucket, and every bucket's turn comes", () => {
  const buckets = [0, 1, 0, 1, 1, 2, 0, 1, 0];
  const order = createOrder({ samples: 9, batchSize: 2, seed: 3, buckets }, permutation);
  // Two batches of the four samples of each of two buckets; the single one of bucket 2 never fills one.
  for (const epoch of [0, 1, 2]) {
    const seen = batches(order, epoch * 4, epoch * 4 + 4);
    for (const batch of seen) assert.is(new Set(batch.map((sample) => buckets[sample])).size, 1);
    assert.equal(
      seen.flat().toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 6, 7, 8],
    );
  }
  assert.not.equal(batches(order, 0, 4), batches(order, 4, 8));
});

test("a single bucket gives the order of none", () => {
  const options = { samples: 7, batchSize: 2, seed: 5 };
  const buckets = new Int32Array(7);
  assert.equal(
    batches(createOrder({ ...options, buckets }, permutation), 0, 9),
    batches(createOrder(options, permutation), 0, 9),
  );
});

test("refuses a data set that does not fill a batch", () => {
  assert.throws(() => createOrder({ samples: 3, batchSize: 4, seed: 0 }, permutation), /3 samples do not fill/);
});

test.run();
