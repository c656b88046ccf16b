import { setImmediate as nextTurn } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { drawsAhead } from "./draws-ahead.ts";
import { philoxSource } from "./draws.ts";
import type { DrawSource } from "./sampler.ts";

const test = suite("draws ahead");

test("the same numbers, those of the next micro-batch made beforehand", async () => {
  const asked: string[] = [];
  const counting = (step: number, microBatch: number): DrawSource => {
    const source = philoxSource(7, step, microBatch);
    const note = (name: string) => asked.push(`${step}.${microBatch} ${name}`);
    return {
      randn: (name, count) => (note(name), source.randn(name, count)),
      rand: (name, count) => (note(name), source.rand(name, count)),
    };
  };
  const draws = drawsAhead(counting, 2);
  for (const [step, microBatch] of [
    [0, 0],
    [0, 1],
    [1, 0],
  ] as const) {
    const source = draws(step, microBatch);
    const own = philoxSource(7, step, microBatch);
    assert.equal(source.randn("noise", 5), own.randn("noise", 5));
    assert.equal(source.rand("mix", 3), own.rand("mix", 3));
    await nextTurn();
  }
  const each = ["0.0", "0.1", "1.0", "1.1"].flatMap((at) => [`${at} noise`, `${at} mix`]);
  assert.equal(asked, each);
});

test("other sizes, other names and other steps are drawn when they are asked for", async () => {
  const draws = drawsAhead((step, microBatch) => philoxSource(7, step, microBatch), 1);
  draws(0, 0).randn("noise", 5);
  await nextTurn();
  const [next, own] = [draws(1, 0), philoxSource(7, 1, 0)];
  assert.equal(next.randn("noise", 6), own.randn("noise", 6));
  assert.equal(next.rand("noise", 5), own.rand("noise", 5));
  assert.equal(next.randn("noise", 5), own.randn("noise", 5));
  await nextTurn();
  // A resumed run begins elsewhere.
  assert.equal(draws(9, 0).randn("noise", 5), philoxSource(7, 9, 0).randn("noise", 5));
});

test.run();
