import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FreedMemory } from "./freed-memory.ts";
import type { Torch } from "./library.ts";

const test = suite("freed memory of PyTorch");
const MiB = 2 ** 20;

/** Whether memory was given back after each run, with so many MiB taken by the process. */
function after(taken: readonly number[], device: "cpu" | "cuda" = "cpu"): boolean[] {
  let now = 0;
  const torch = { device, system: () => () => 1 } as unknown as Torch;
  const freed = new FreedMemory(torch, () => now * MiB);
  return taken.map((megabytes) => {
    now = megabytes;
    return freed.giveBack();
  });
}

test("it is given back where the process takes clearly more than ever before, and not again for the same", () => {
  assert.equal(after([400, 300, 420, 400, 440, 440, 470]), [true, false, false, false, true, false, false]);
  assert.equal(after([1600, 1690, 1710]), [true, false, true]);
});

test("a GPU's allocator is left alone, and so is a library of C that can not do it", () => {
  assert.equal(after([400], "cuda"), [false]);
  const system = () => {
    throw new Error("no such function");
  };
  assert.is(new FreedMemory({ device: "cpu", system } as unknown as Torch, () => 400 * MiB).giveBack(), false);
});

test.run();
