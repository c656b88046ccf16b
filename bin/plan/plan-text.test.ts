// What a plan says of the memory of a run.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Plan, StepPlan } from "../../runtime/index.ts";
import { planRows } from "./plan-text.ts";

const test = suite("text of a plan");

const step: StepPlan = {
  sample: "",
  tokens: 1,
  memory: {
    weights: 2 ** 20,
    trained: 1024,
    average: 0,
    optimizer: 2048,
    captions: 0,
    step: 4096,
    allocator: 0,
    program: 0,
  },
  cost: { matmulFlops: 3e12, copiedBytes: 0, movedBytes: 4e10, nodes: 1000 },
  operations: 5000,
};

function memoryRow(networks: readonly string[]): string {
  const plan: Plan = { largest: step, commonest: step, sizes: 1, passes: [], networks };
  const rows = planRows(plan, { steps: 1, trainingState: "full", optimization: {} }, null);
  return rows.find(([name]) => name === "memory")?.[1] ?? "";
}

test("frozen networks are named with the base model, whose memory holds them", () => {
  assert.match(memoryRow([]), "(base model 1.0 MiB, trained");
  assert.match(memoryRow(["decode", "features"]), "(base model and decode, features 1.0 MiB, trained");
});

test.run();
