import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BLOCK, decodeBlock, encodeBlock, signedCodes, unsignedCodes, zeros } from "./eight-bit.ts";

const test = suite("eight bit");

/** Numbers over many orders of magnitude. */
const wide = (count: number, isSigned: boolean) =>
  Float64Array.from(
    { length: count },
    (_, i) => 10 ** (-3 * Math.abs(Math.sin(i))) * (isSigned && i % 3 === 0 ? -1 : 1),
  );

function decoded(held: ReturnType<typeof zeros>, block: number): Float64Array {
  const out = new Float64Array(BLOCK);
  return out.subarray(0, decodeBlock(held, block, out));
}

test("a number comes back within one step of its code: 9 % with a sign, 7 % without", () => {
  for (const [scheme, step] of [
    [signedCodes, 0.093],
    [unsignedCodes, 0.068],
  ] as const) {
    const numbers = wide(BLOCK, scheme.isSigned);
    const held = zeros(scheme, BLOCK);
    for (const random of [() => 0, () => 0.5, () => 0.999]) {
      encodeBlock(held, 0, numbers, random);
      decoded(held, 0).forEach((x, i) => {
        const expected = numbers[i] ?? 0;
        assert.is(Math.sign(x), Math.sign(expected));
        assert.ok(Math.abs(x / expected - 1) <= step, `${x} for ${expected}`);
      });
    }
  }
});

test("rounded at random, a number is right on average", () => {
  const held = zeros(signedCodes, 2);
  let [sum, seed] = [0, 1];
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let i = 0; i < 20000; i++) {
    encodeBlock(held, 0, Float64Array.of(1, 0.0123), random);
    sum += decoded(held, 0)[1] ?? 0;
  }
  assert.ok(Math.abs(sum / 20000 / 0.0123 - 1) < 0.002, String(sum / 20000));
});

test("each block has its own scale, and the last may be short", () => {
  const held = zeros(signedCodes, BLOCK + 3);
  encodeBlock(held, 0, new Float64Array(BLOCK).fill(1e-12), () => 0.5);
  encodeBlock(held, 1, Float64Array.of(5, 0, -5), () => 0.5);
  assert.equal(Array.from(decoded(held, 1)), [5, 0, -5]);
  assert.ok(decoded(held, 0).every((x) => Math.abs(x / 1e-12 - 1) < 1e-6));
  assert.is(held.codes.byteLength + held.scales.byteLength, BLOCK + 3 + 8);
});

test("numbers once decoded are encoded as they were", () => {
  for (const scheme of [signedCodes, unsignedCodes]) {
    const [first, again] = [zeros(scheme, BLOCK), zeros(scheme, BLOCK)];
    let seed = 7;
    encodeBlock(first, 0, wide(BLOCK, scheme.isSigned), () => (seed = (seed * 16807) % 2147483647) / 2147483647);
    encodeBlock(again, 0, Float64Array.from(Float32Array.from(decoded(first, 0))), () => 0.5);
    assert.equal(again.codes, first.codes);
    assert.equal(again.scales, first.scales);
  }
});

test("a mean of squares is not rounded to 0", () => {
  const held = zeros(unsignedCodes, 2);
  encodeBlock(held, 0, Float64Array.of(1, 1e-12), () => 0.999);
  assert.ok((decoded(held, 0)[1] ?? 0) > 0);
});

test.run();
