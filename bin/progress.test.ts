import { suite } from "uvu";
import * as assert from "uvu/assert";
import { colors } from "./color.ts";
import { barLine, plainLine, type Progress } from "./progress.ts";

const test = suite("progress");
const progress: Progress = {
  step: 50,
  steps: 200,
  loss: 0.51234,
  learningRate: 7.75e-4,
  secondsPerStep: 0.5,
  secondsLeft: 75,
};

test("the bar line shows step, bar, loss, LR, seconds per step and the time left", () => {
  const line = barLine(colors(false), progress, 100);
  assert.is(line, ` 50/200 ${"━".repeat(8)}${"─".repeat(22)}  loss 0.5123  LR 7.75e-4  0.50 s/step  1 min 15 s left`);
});

test("the bar line never reaches the last column, so that it never wraps", () => {
  for (const columns of [10, 40, 60, 70, 80, 200])
    assert.ok(barLine(colors(false), progress, columns).length < columns);
});

test("nothing is said of the time left as long as nothing is known of it", () => {
  assert.match(plainLine({ ...progress, secondsLeft: null }, true) ?? "", /s\/step {2}… left$/);
});

test("plain lines come at the first, the last and every twentieth step", () => {
  const at = (step: number) => plainLine({ ...progress, step }, step === 7) !== null;
  assert.equal([7, 8, 19, 20, 21, 40, 199, 200].filter(at), [7, 20, 40, 200]);
  assert.is(plainLine(progress, true), "step 50/200  loss 0.5123  LR 7.75e-4  0.50 s/step  1 min 15 s left");
});

test.run();
