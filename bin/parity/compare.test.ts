// Which losses agree, and what is said of those that do not.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compare, type StepLoss } from "./compare.ts";
import { findingOf, tableOf, worstLine } from "./text.ts";

const test = suite("comparison of losses");

const run = (losses: readonly (readonly number[])[], samples = ["a", "b"]): readonly StepLoss[] =>
  losses.map(([video = 0, audio = 0], i) => ({ step: i + 1, terms: { video, audio }, samples }));

test("differences are relative to the sum of the terms, and 1e-4 is allowed", () => {
  const close = compare(
    run([
      [10, 0],
      [10, 10],
    ]),
    run([
      [10.00099, 0],
      [10.0019, 10],
    ]),
  );
  assert.ok(close.isEqual);
  assert.is(close.worst.step, 1);
  assert.is(findingOf(close), null);
  assert.match(worstLine(close), "largest difference 9.9e-5 of the loss, at step 1; 1e-4 is allowed");
  const far = compare(
    run([
      [10, 0],
      [10, 10],
    ]),
    run([
      [10, 0],
      [10, 10.0021],
    ]),
  );
  assert.not(far.isEqual);
  assert.equal(far.first, { step: 2, term: "audio" });
  assert.match(findingOf(far)?.message ?? "", "the first step agrees, and then the losses differ");
});

test("terms whose differences cancel do not hide one another in the JSON", () => {
  const { steps } = compare(run([[1, 2]]), run([[2, 1]]));
  assert.equal(steps[0]?.terms, { video: { ltxc: 1, official: 2 }, audio: { ltxc: 2, official: 1 } });
});

test("steps that one side lacks, and numbers that are none, never agree", () => {
  assert.not(compare(run([[1], [1]]), run([[1]])).isEqual);
  const broken = compare(run([[NaN]]), run([[NaN]]));
  assert.not(broken.isEqual);
  assert.is(broken.worst.difference, Infinity);
  assert.match(tableOf(broken), "NaN");
  assert.ok(compare(run([[0]]), run([[0]])).isEqual);
  assert.not(compare(run([[0]]), run([[1e-9]])).isEqual);
});

test("other samples are a difference of their own, whatever the losses are", () => {
  const found = findingOf(compare(run([[1]]), run([[1]], ["b", "a"])));
  assert.match(found?.message ?? "", "the two trained on other samples, from step 1 on");
});

test.run();
