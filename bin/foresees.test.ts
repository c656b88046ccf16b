// `ltxc check` says beforehand whatever `ltxc run` would stop at or warn of: an input of each kind. `foresees.slow.test.ts` tries all of them.
import { rm } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc } from "./testing/testing.ts";
import { brokenInputs, soundProject, toldApart, unforeseen, warnedInputs } from "./testing/broken-inputs/index.ts";
import { setting } from "./testing/broken-inputs/broken-input.ts";

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

const warned = ["an offload that the engine lacks", "a LoRA that lacks layers"];
for (const name of warned)
  test(name, async () => {
    const input = warnedInputs.find((each) => each.name === name);
    if (input === undefined) throw new Error(`there is no input ${name}`);
    assert.is(await toldApart(sound, input), null);
  });

/** Calls `f` as if the machine had so much memory. */
async function withMemory<T>(bytes: number, f: () => Promise<T>): Promise<T> {
  const own = process.constrainedMemory;
  process.constrainedMemory = () => bytes;
  try {
    return await f();
  } finally {
    process.constrainedMemory = own;
  }
}

/** Bytes that check estimates for the project's run. */
async function estimated(): Promise<number> {
  const { out } = await ltxc(["check", "train.yaml", "--json"], { cwd: sound });
  const [run] = (JSON.parse(out) as { runs: readonly { residentBytes: number }[] }).runs;
  if (run === undefined) throw new Error(out);
  return run.residentBytes;
}

test("memory that does not suffice is a warning of both, and an error of both beyond twice as much, unless told", async () => {
  const bytes = await estimated();
  const input = { name: "memory", arrange: async () => undefined };
  const ignored = { name: "memory", arrange: setting("runtime", "ignore_memory: true") };
  assert.is(await withMemory(bytes * 0.7, () => toldApart(sound, input)), null);
  assert.is(await withMemory(bytes * 0.4, () => unforeseen(sound, input)), null);
  assert.is(await withMemory(bytes * 0.4, () => toldApart(sound, ignored)), null);
});

test.run();
