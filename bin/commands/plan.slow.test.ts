import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { planned } from "../testing/planned.ts";
import { project } from "../testing/testing.ts";

const test = suite("plans compared");
const folder = await project();
test.after(() => rm(folder, { recursive: true }));

test("settings of the command line count", async () => {
  const [one, three] = [
    await planned(folder, "optimization.batch_size=1"),
    await planned(folder, "optimization.batch_size=3"),
  ];
  const [a = 0, b = 0] = [one, three].map(({ plan }) => plan.largest.memory["step"] ?? 0);
  assert.ok(b > 2 * a && b < 4 * a, `${a} and ${b}`);
  const eight = await planned(folder, "optimization.optimizer_type=adamw8bit");
  assert.is(eight.plan.largest.memory["optimizer"], (eight.plan.largest.memory["trained"] ?? 0) / 2);
});

test.run();
