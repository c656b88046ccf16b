// What a plan may propose: batches of which every data set still has whole samples.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { StrategyInfo } from "../../runtime/contract.ts";
import type { Preflight } from "../../runtime/index.ts";
import { smallestBatch } from "./changes.ts";

const test = suite("changes that a plan proposes");

test("the smallest batch has whole shares of each data set, and as many samples as the strategy compares", () => {
  const of = (counts: readonly number[] | null, smallest?: number) => {
    const mixture = counts?.map((perBatch) => ({ name: "", samples: [], perBatch })) ?? null;
    const strategy = (smallest === undefined ? {} : { smallestBatch: smallest }) as StrategyInfo;
    return smallestBatch(strategy, { data: { mixture } } as unknown as Preflight);
  };
  assert.is(of(null), 1);
  assert.is(of(null, 2), 2);
  assert.is(of([2, 2]), 2);
  assert.is(of([3, 1]), 4);
  assert.is(of([4, 2]), 3);
  assert.is(of([1], 2), 2);
});

test.run();
