// `ltxc check` says beforehand whatever `ltxc run` would stop at: an input of each kind. `foresees.slow.test.ts` tries all of them.
import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { brokenInputs, soundProject, unforeseen } from "./testing/broken-inputs/index.ts";

const test = suite("what check foresees of a run, in short");
const sound = await soundProject();
test.after(() => rm(sound, { recursive: true }));

const chosen = [
  "a flipped bit",
  "a storage shorter than its description",
  "a checkpoint without a config",
  "nothing left to do",
  "a damaged training state",
  "an engine that is not there",
  "a strategy with an error",
  "adapters larger than a tensor can be",
  "features of another width than the data's",
  "another run in the folder",
];
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

test.run();
