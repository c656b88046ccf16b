import { suite } from "uvu";
import * as assert from "uvu/assert";
import { freeMemory } from "./free-memory.ts";

const test = suite("free memory");

test("an array of its own is empty afterwards, and the system has its memory back", () => {
  const before = process.memoryUsage().arrayBuffers;
  const array = new Float32Array(2 ** 22);
  assert.is(process.memoryUsage().arrayBuffers - before, 2 ** 24);
  freeMemory(array);
  assert.is(array.length, 0);
  assert.is(process.memoryUsage().arrayBuffers - before, 0);
});

test("an array that is a part of a larger buffer stays as it is, and so does an empty one", () => {
  const whole = Float32Array.of(1, 2, 3);
  freeMemory(whole.subarray(1));
  assert.equal([...whole], [1, 2, 3]);
  const empty = new Float32Array(0);
  freeMemory(empty);
  assert.is(empty.length, 0);
});

test.run();
