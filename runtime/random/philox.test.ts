import { suite } from "uvu";
import * as assert from "uvu/assert";
import { normal, permutation, philox, uniform } from "./philox.ts";

const test = suite("philox");
const key = { seed: 42, step: 3, microBatch: 1, name: "video.noise" };

test("gives the published known answers of Philox 4x32-10", () => {
  const f = 0xffffffff;
  assert.equal(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  assert.equal(philox([f, f, f, f], [f, f]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
  assert.equal(
    philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  );
});

test("a draw depends on its place and on nothing else", () => {
  assert.equal(uniform(key, 5), uniform(key, 5));
  assert.equal(uniform(key, 9).subarray(0, 5), uniform(key, 5), "a longer draw begins like a shorter one");
  for (const other of [
    { seed: 43 },
    { seed: 42 + 2 ** 32 },
    { seed: -42 },
    { step: 4 },
    { microBatch: 0 },
    { name: "audio.noise" },
  ]) {
    assert.not.equal(uniform({ ...key, ...other }, 5), uniform(key, 5), JSON.stringify(other));
  }
});

test("the way from a place to its numbers never changes", () => {
  assert.equal(
    Array.from(uniform(key, 4)),
    [0.9266411662101746, 0.9479812383651733, 0.4891502261161804, 0.25227880477905273],
  );
  assert.equal(
    Array.from(normal(key, 4)),
    [0.3696906268596649, -0.1253257542848587, -0.017122769728302956, 1.195775032043457],
  );
  assert.equal(Array.from(permutation(42, 0, 8)), [7, 2, 1, 4, 5, 6, 0, 3]);
});

test("uniform numbers lie in [0, 1) and have the moments of U(0, 1)", () => {
  const x = uniform(key, 100_001);
  assert.is(x.length, 100_001);
  assert.ok(x.every((v) => v >= 0 && v < 1));
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
  assert.ok(Math.abs(mean - 0.5) < 0.005, String(mean));
  assert.ok(Math.abs(variance - 1 / 12) < 0.001, String(variance));
});

test("normal numbers have the moments of N(0, 1) and no correlation within a pair", () => {
  const x = normal(key, 200_001);
  assert.is(x.length, 200_001);
  assert.ok(x.every(Number.isFinite));
  const moment = (k: number) => x.reduce((sum, v) => sum + v ** k, 0) / x.length;
  for (const [k, expected] of [
    [1, 0],
    [2, 1],
    [3, 0],
    [4, 3],
  ] as const) {
    assert.ok(Math.abs(moment(k) - expected) < 0.06, `moment ${k}: ${moment(k)}`);
  }
  let together = 0;
  for (let i = 0; i + 1 < x.length; i += 2) together += (x[i] as number) * (x[i + 1] as number);
  assert.ok(Math.abs(together / 100_000) < 0.02);
});

test("a permutation holds every number once, and is another one in every epoch", () => {
  assert.equal(
    [...permutation(1, 0, 100)].toSorted((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.not.equal(permutation(1, 0, 100), permutation(1, 1, 100));
  assert.not.equal(permutation(1, 0, 100), permutation(2, 0, 100));
  assert.equal([...permutation(1, 0, 1)], [0]);
  assert.equal([...permutation(1, 0, 0)], []);
});

test("every number is as likely in every place of a permutation", () => {
  const counts = Array.from({ length: 16 }, () => 0);
  for (let epoch = 0; epoch < 8000; epoch++) {
    permutation(7, epoch, 4).forEach(
      (value, place) => (counts[4 * place + value] = (counts[4 * place + value] ?? 0) + 1),
    );
  }
  assert.ok(
    counts.every((count) => Math.abs(count - 2000) < 200),
    counts.join(),
  );
});

test.run();
