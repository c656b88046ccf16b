import { suite } from "uvu";
import * as assert from "uvu/assert";
import { colors } from "../shell/color.ts";
import { plainLine, progressBlock, type Progress } from "./progress.ts";

const test = suite("progress");
const progress: Progress = {
  globalStep: 50,
  steps: 200,
  loss: 0.61234,
  smoothedLoss: 0.51234,
  terms: { video: 0.4, audio: 0.21234 },
  sigmaBuckets: { "0.75-1.00": 0.7, "0.25-0.50": 0.5 },
  learningRate: 7.75e-4,
  gradNorm: 1.2345,
  secondsPerStep: 0.5,
  samples: ["a.pt"],
  samplesPerSecond: 4,
  tokensPerSecond: 6144,
  flopsPerSecond: null,
  mfu: null,
  gpu: null,
  waitSeconds: 0,
  peakMemoryBytes: 3 * 2 ** 29,
  etaSeconds: 75,
};

test("a terminal shows the bar with the smoothed loss, then this step's loss by term and by sigma, then what it costs", () => {
  assert.equal(progressBlock(colors(false), progress, 100), [
    ` 50/200 ${"━".repeat(8)}${"─".repeat(22)}  loss 0.5123  LR 7.75e-4  0.50 s/step  1 min 15 s left`,
    "  this step 0.6123  video 0.4000  audio 0.2123",
    "  by sigma  0.25-0.50: 0.5000  0.75-1.00: 0.7000",
    "  gradient 1.23  4.00 samples/s  6,144 tokens/s  peak memory 1.5 GiB",
  ]);
});

test("a GPU has a line of its own: its memory, how busy it is, and how much of its peak is used", () => {
  const gpu = { name: "NVIDIA H100", memoryBytes: 48 * 2 ** 30, memoryTotalBytes: 80 * 2 ** 30, utilization: 0.973 };
  const line = (mfu: number | null) => progressBlock(colors(false), { ...progress, mfu, gpu }, 100)[4];
  assert.is(line(0.4123), "  GPU memory 48.0 of 80.0 GiB  97 % busy  41 % of its peak (MFU)");
  assert.is(line(null), "  GPU memory 48.0 of 80.0 GiB  97 % busy");
  assert.match(plainLine({ ...progress, gpu }, true) ?? "", /peak memory 1.5 GiB {2}\| GPU memory 48.0 of 80.0 GiB/);
});

test("a single term is the loss and not said twice", () => {
  const [, line] = progressBlock(colors(false), { ...progress, terms: { video: 0.61234 } }, 100);
  assert.is(line, "  this step 0.6123");
});

test("no line ever reaches the last column, so that it never wraps", () => {
  for (const columns of [10, 40, 60, 70, 80, 200])
    for (const line of progressBlock(colors(false), progress, columns)) assert.ok(line.length < columns, line);
});

test("nothing is said of the time left as long as nothing is known of it", () => {
  assert.match(plainLine({ ...progress, etaSeconds: null }, true) ?? "", /s\/step {2}… left {2}\|/);
});

test("plain lines come at the first, the last and every twentieth step, with all the numbers", () => {
  const at = (globalStep: number) => plainLine({ ...progress, globalStep }, globalStep === 7) !== null;
  assert.equal([7, 8, 19, 20, 21, 40, 199, 200].filter(at), [7, 20, 40, 200]);
  assert.is(
    plainLine(progress, true),
    "step 50/200  loss 0.5123  LR 7.75e-4  0.50 s/step  1 min 15 s left  | this step 0.6123  video 0.4000  audio 0.2123" +
      "  | by sigma  0.25-0.50: 0.5000  0.75-1.00: 0.7000  | gradient 1.23  4.00 samples/s  6,144 tokens/s  peak memory 1.5 GiB",
  );
});

test.run();
