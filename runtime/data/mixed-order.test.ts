// Batches with shares of several data sets: whole samples of each, in orders of their own, as functions of the index.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { permutation } from "../random/philox.ts";
import { createMixedOrder, filledBuckets } from "./mixed-order.ts";
import { createOrder } from "./order.ts";

const test = suite("mixed order");

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const subject = { name: "subject", samples: numbers(0, 5), perBatch: 1 };
const prior = { name: "prior", samples: numbers(5, 7), perBatch: 2 };
const sets = [subject, prior] as const;

test("every batch has the share of each, and each goes through all of its samples before it begins anew", () => {
  const order = createMixedOrder({ sets, seed: 3 }, permutation);
  const batches = numbers(0, 30).map((i) => order(i));
  for (const batch of batches)
    assert.equal(
      batch.map((i) => (i < 5 ? "subject" : "prior")),
      ["subject", "prior", "prior"],
    );
  const of = (at: number) => batches.flatMap((batch) => (at === 0 ? batch.slice(0, 1) : batch.slice(1)));
  for (let epoch = 0; epoch < 6; epoch++)
    assert.is(new Set(of(0).slice(5 * epoch, 5 * epoch + 5)).size, 5, `epoch ${epoch}`);
  // Three batches hold six of the seven: another one is left over in each epoch.
  const epochs = numbers(0, 10).map((epoch) => of(1).slice(6 * epoch, 6 * epoch + 6));
  for (const epoch of epochs) assert.is(new Set(epoch).size, 6);
  assert.is(new Set(of(1)).size, 7);
  assert.ok(new Set(epochs.map((epoch) => epoch.join())).size > 5, "epochs have orders of their own");
});

test("a batch is a function of its number, whichever were asked for before", () => {
  const inOrder = createMixedOrder({ sets, seed: 3 }, permutation);
  const all = numbers(0, 20).map((i) => inOrder(i));
  const anywhere = createMixedOrder({ sets, seed: 3 }, permutation);
  for (const i of [17, 3, 18, 4, 0]) assert.equal(anywhere(i), all[i]);
  const other = createMixedOrder({ sets, seed: 4 }, permutation);
  assert.not.equal(
    numbers(0, 20).map((i) => other(i)),
    all,
  );
});

test("the first data set has the order that it would have alone", () => {
  const alone = createOrder({ samples: 5, batchSize: 1, seed: 3 }, permutation);
  const mixed = createMixedOrder({ sets, seed: 3 }, permutation);
  for (let i = 0; i < 12; i++) assert.equal(mixed(i).slice(0, 1), alone(i));
});

test("the samples of a batch are of one bucket, of which every data set has enough", () => {
  const large = [
    { name: "subject", samples: numbers(0, 12), perBatch: 2 },
    { name: "prior", samples: numbers(12, 12), perBatch: 1 },
  ] as const;
  // Buckets 0 and 1 in both; 2 in the first alone, 3 in the second alone.
  const buckets = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 1, 1, 1, 1, 1, 3, 3, 3, 3];
  assert.equal([...filledBuckets(large, buckets)], [0, 1]);
  const order = createMixedOrder({ sets: large, seed: 1, buckets }, permutation);
  const batches = numbers(0, 40).map((i) => order(i));
  for (const batch of batches) assert.is(new Set(batch.map((i) => buckets[i])).size, 1);
  const used = new Set(batches.flat());
  assert.equal(
    numbers(0, 24).filter((i) => !used.has(i)),
    [8, 9, 10, 11, 20, 21, 22, 23],
  );
  // The shares of a bucket go on from batch to batch, whatever came between: 3 of bucket 0 in three batches of it.
  const ofBucket = batches.filter(([i]) => buckets[i ?? 0] === 0).map((batch) => batch[2]);
  for (let i = 0; i + 3 <= ofBucket.length; i += 3) assert.is(new Set(ofBucket.slice(i, i + 3)).size, 3);
});

test.run();
