import { suite } from "uvu";
import * as assert from "uvu/assert";
import { permutation } from "../training/philox.ts";
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

test("refuses a data set that does not fill a batch", () => {
  assert.throws(() => createOrder({ samples: 3, batchSize: 4, seed: 0 }, permutation), /3 samples do not fill/);
});

test.run();
