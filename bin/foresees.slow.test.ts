// `ltxc check` says beforehand whatever `ltxc run` would stop at or warn of.
import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { setting } from "./testing/broken-inputs/broken-input.ts";
import { withShareOfMemory } from "./testing/broken-inputs/little-memory.ts";
import { brokenInputs, soundProject, toldApart, unforeseen, warnedInputs } from "./testing/broken-inputs/index.ts";

const test = suite("what check foresees of a run");
const sound = await soundProject();
test.after(() => rm(sound, { recursive: true }));

for (const [kind, inputs] of Object.entries(brokenInputs))
  for (const broken of inputs)
    test(`${kind}: ${broken.name}`, async () => {
      assert.is(await unforeseen(sound, broken), null);
    });

for (const input of warnedInputs)
  test(`warned of: ${input.name}`, async () => {
    assert.is(await toldApart(sound, input), null);
  });

test("memory that does not suffice is a warning of both, as is twice as much where a run config says so", async () => {
  const input = { name: "memory", arrange: async () => undefined };
  const ignored = { name: "memory", arrange: setting("runtime", "ignore_memory: true") };
  assert.is(await withShareOfMemory(0.7, sound, () => toldApart(sound, input)), null);
  assert.is(await withShareOfMemory(0.4, sound, () => toldApart(sound, ignored)), null);
});

test.run();
