import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  partsOfStep,
  recordingSeconds,
  residentBytes,
  runSeconds,
  stepSeconds,
  withOwn,
  type StepPlan,
} from "./plan.ts";

const test = suite("sums of a plan");

const recorded = { weights: 1000.4, trained: 40, average: 0, optimizer: 80, captions: 7.5, step: 333.3 };
const graphs = { largest: 20, operations: 5000, sizes: 3 };
const plan: StepPlan = {
  sample: "",
  tokens: 1,
  memory: withOwn(recorded, graphs, { name: "onnx", provider: "cpu", precision: "float32" }),
  cost: { matmulFlops: 3e12, copiedBytes: 0, movedBytes: 4e10, nodes: 1000 },
  operations: 5000,
};
const speed = { matmulGflops: 100, bandwidthGBs: 10 };

test("memory is the sum of whole parts, what comes on top of the graphs among them", () => {
  const { memory } = plan;
  // 12 KiB for each operation of the first size, 4.5 KiB for those of the two others.
  const program = 185 * 2 ** 20 + 5000 * 21 * 2 ** 10;
  assert.equal(memory, {
    weights: 1000,
    trained: 40,
    optimizer: 80,
    captions: 8,
    step: 333,
    // Seven times the largest value.
    allocator: 140,
    program,
    average: 0,
  });
  assert.is(residentBytes(plan), 1000 + 40 + 80 + 8 + 333 + 140 + program);
});

test("a step takes its products, its other operations and its calls, and a run its recording and its steps", () => {
  assert.equal(partsOfStep(plan, speed), { products: 30, moving: 4, calls: 0.005, copying: 0 });
  // Weights from the host come beside the computation: only what takes longer counts.
  const copied = { cost: { ...plan.cost, copiedBytes: 1e11 } };
  assert.is(partsOfStep(copied, { ...speed, busGBs: 5 }).copying, 0);
  assert.is(stepSeconds(copied, { ...speed, busGBs: 2 }), 50);
  assert.ok(Math.abs(stepSeconds(plan, speed) - 34.005) < 1e-9);
  const one = { largest: plan, commonest: plan, sizes: 1, passes: [], networks: [] };
  // A second to warm up, and 0.2 ms for each of 5,000 operations.
  assert.is(recordingSeconds(one), 2);
  assert.is(recordingSeconds({ ...one, sizes: 3 }), 4);
  assert.ok(Math.abs(runSeconds(one, 10, speed) - 342.05) < 1e-9);
});

test.run();
