import { suite } from "uvu";
import * as assert from "uvu/assert";
import { computedCrc32, crc32 } from "./crc32.ts";

const test = suite("crc32");

test("gives the published check value, and those of nothing and of every byte", () => {
  for (const sum of [crc32, computedCrc32]) {
    assert.is(sum(Buffer.from("123456789")), 0xcbf43926);
    assert.is(sum(new Uint8Array(0)), 0);
    assert.is(sum(Uint8Array.from({ length: 256 }, (_, i) => i)), 0x29058c73);
  }
});

test.run();
