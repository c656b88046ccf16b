import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { expectSums, planned } from "../testing/planned.ts";
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

const settings = {
  "a larger batch": ["optimization.batch_size=4", "optimization.gradient_accumulation_steps=3"],
  "eight bits": ["optimization.optimizer_type=adamw8bit", "optimization.enable_gradient_checkpointing=true"],
  "full training": ["model.training_mode=full", "optimization.batch_size=1"],
  "a higher rank": ["lora.rank=32", "lora.alpha=32"],
};

for (const [name, set] of Object.entries(settings)) test(`the parts add up: ${name}`, () => expectSums(folder, set));

test("no advice costs as much memory as what there is, whatever the settings", async () => {
  const choices = ["adamw", "adamw8bit"].flatMap((optimizer) =>
    [true, false].flatMap((checkpointing) =>
      [1, 3].flatMap((batch) =>
        [1, 2].map((accumulation) => [
          `optimization.optimizer_type=${optimizer}`,
          `optimization.enable_gradient_checkpointing=${checkpointing}`,
          `optimization.batch_size=${batch}`,
          `optimization.gradient_accumulation_steps=${accumulation}`,
        ]),
      ),
    ),
  );
  assert.is(choices.length, 16);
  let offered = 0;
  for (const set of choices) {
    const { alternatives, residentBytes, plan } = await planned(folder, ...set);
    assert.is(
      Object.values(plan.largest.memory).reduce((a, b) => a + b),
      residentBytes,
    );
    for (const { settings, residentBytes: less } of alternatives)
      assert.ok(less < residentBytes, `${set.join(" ")}: ${settings.join(" ")} takes ${less} of ${residentBytes}`);
    offered += alternatives.length;
  }
  assert.ok(offered > 16, `only ${offered} offered`);
});

test.run();
