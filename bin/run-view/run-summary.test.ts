import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sparkline } from "./curve.ts";
import { createHistory, summaryCurves } from "./run-summary.ts";

const test = suite("run summary");

test("a sparkline runs from the lowest to the highest block, and a level one through the middle", () => {
  assert.is(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8), "▁▂▃▄▅▆▇█");
  assert.is(sparkline([7, 7, 0, 0], 2), "█▁");
  assert.is(sparkline([2, 2, 2], 8), "▄▄▄");
  assert.is(sparkline([1, Number.NaN], 8), "");
});

const step = (loss: number, sigmaBuckets: Readonly<Record<string, number>>) => ({
  loss,
  terms: { video: loss / 2, audio: loss / 2 },
  sigmaBuckets,
  gradNorm: 1,
});
const history = createHistory();
history.step(step(4, { "0.50-0.75": 3 }));
history.step(step(3, {}));
history.step(step(2, { "0.50-0.75": 1, "0.00-0.25": 9 }));
history.evaluation({ loss: 5, sigmas: [{ sigma: 0.5, loss: 6 }] });
history.evaluation({ loss: 4, sigmas: [{ sigma: 0.5, loss: 2 }] });

test("each curve has its first and its last value; one value is no curve", () => {
  assert.equal(summaryCurves(history, 80).split("\n"), [
    "loss audio             2.000  █▅▁      1.000",
    "loss video             2.000  █▅▁      1.000",
    "loss at 0.50-0.75      3.000  █▁       1.000",
    "evaluation             5.000  █▁       4.000",
    "evaluation at 0.5      6.000  █▁       2.000",
    "gradient norm          1.000  ▄▄▄      1.000",
  ]);
});

test("there is no summary of nothing", () => {
  assert.is(summaryCurves(createHistory(), 80), "");
});

test.run();
