import { suite } from "uvu";
import * as assert from "uvu/assert";
import { optimizationText, stateBytes } from "./optimization.ts";

const test = suite("what runtime.optimization asks for, in words");

test("nothing is said where nothing is asked for", () => {
  assert.is(optimizationText(undefined), null);
  assert.is(optimizationText({}), null);
});

test("all that is asked for is said", () => {
  assert.is(
    optimizationText({
      optimizer: "prodigy",
      optimizer_params: { d0: 1e-6, growth_rate: null, safeguard_warmup: false },
      warmup_steps: 100,
      groups: [{ match: "*.ff.*", learning_rate: 1e-5, weight_decay: null }],
      ema_decay: 0.999,
      evaluate_ema: true,
    }),
    "optimized by Prodigy (d0 0.000001); warm-up over 100 steps; *.ff.* with learning rate 0.00001; " +
      "moving average 0.999 of the weights, for samples and evaluations",
  );
});

test("a training state has the weights, the moments of the optimizer, and the average", () => {
  assert.equal(
    [{}, { optimizer: "lion" }, { optimizer: "prodigy", ema_decay: 0.9 }, { ema_decay: 0.9 }].map((asked) =>
      stateBytes(asked as Parameters<typeof stateBytes>[0]),
    ),
    [12, 8, 24, 16],
  );
});

test.run();
