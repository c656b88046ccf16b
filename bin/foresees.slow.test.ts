// `ltxc check` says beforehand whatever `ltxc run` would stop at.
import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { brokenInputs, soundProject, unforeseen } from "./testing/broken-inputs/index.ts";

const test = suite("what check foresees of a run");
const sound = await soundProject();
test.after(() => rm(sound, { recursive: true }));

for (const [kind, inputs] of Object.entries(brokenInputs))
  for (const broken of inputs)
    test(`${kind}: ${broken.name}`, async () => {
      assert.is(await unforeseen(sound, broken), null);
    });

test.run();
