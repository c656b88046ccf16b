import { suite } from "uvu";
import * as assert from "uvu/assert";
import { GradientWatch, stillSteps } from "./gradient-watch.ts";

const test = suite("gradient watch");

/** What it says after steps with these gradients. */
function watched(norms: readonly number[], atEnd = false, loss = 0.01) {
  const watch = new GradientWatch();
  for (const norm of norms) watch.see(norm, loss);
  return watch.failure(atEnd);
}

const zeros = (count: number) => Array.from({ length: count }, () => 0);

test("20 steps in a row without a gradient end a run, at any time", () => {
  assert.is(watched(zeros(stillSteps - 1)), null);
  const failure = watched([1, ...zeros(stillSteps)]);
  assert.is(failure?.code, "LTX7130");
  assert.match(failure?.message ?? "", "exactly 0 in 20 steps in a row");
  assert.match(failure?.message ?? "", "the loss is 0.01");
  assert.is(watched([...zeros(15), 1e-30, ...zeros(15)]), null);
});

test("a shorter run ends well only if one of its steps had a gradient", () => {
  assert.match(watched(zeros(1), true)?.message ?? "", "exactly 0 in the only step");
  assert.match(watched(zeros(3), true)?.message ?? "", "exactly 0 in 3 steps in a row");
  assert.is(watched([...zeros(3), 0.1, ...zeros(3)], true), null);
  assert.is(watched([], true), null);
});

test("the help says where to look: at what is kept where the loss is 0, else at the loss", () => {
  assert.match(watched(zeros(3), true, 0)?.help ?? "", "look at `keep`");
  assert.match(watched(zeros(3), true)?.help ?? "", "`clamp`");
});

test.run();
