// `ltxc check` says beforehand whatever `ltxc run` would stop at or warn of: an input of each kind. `foresees.slow.test.ts` tries all of them.
import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { brokenInputs, soundProject, unforeseen } from "./testing/broken-inputs/index.ts";
import { withShareOfMemory } from "./testing/broken-inputs/little-memory.ts";

const test = suite("what check foresees of a run, in short");
const sound = await soundProject();
test.after(() => rm(sound, { recursive: true }));

const chosen = ["a checkpoint without a config", "a strategy with an error", "another run in the folder"];
const all = Object.values(brokenInputs).flat();

test("there are at least sixty inputs, with names of their own", () => {
  const names = new Set(all.map(({ name }) => name));
  assert.is(names.size, all.length);
  assert.ok(names.size >= 60, String(names.size));
});

for (const name of chosen)
  test(name, async () => {
    const broken = all.find((each) => each.name === name);
    if (broken === undefined) throw new Error(`there is no input ${name}`);
    assert.is(await unforeseen(sound, broken), null);
  });

test("memory that is not half of what the run needs", async () => {
  const input = { name: "memory", arrange: async () => undefined };
  assert.is(await withShareOfMemory(0.4, sound, () => unforeseen(sound, input)), null);
});

test.run();
