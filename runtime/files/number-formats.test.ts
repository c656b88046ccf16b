import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from "./number-formats.ts";

const test = suite("number formats");
const allBits = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const isNumber = (value: number) => !Number.isNaN(value);

for (const [name, widen, narrow] of [
  ["bfloat16", bfloat16ToFloat32, float32ToBfloat16],
  ["float16", float16ToFloat32, float32ToFloat16],
] as const) {
  test(`${name}: every value survives the way there and back, NaN stays NaN`, () => {
    const values = widen(allBits);
    const back = narrow(values);
    const wrong = allBits.filter((bits) =>
      isNumber(values[bits] as number) ? back[bits] !== bits : isNumber(widen(back)[bits] as number),
    );
    assert.equal([...wrong], []);
  });

  test(`${name}: what lies between two neighbours goes to the nearer, halfway to the even one`, () => {
    // Positive finite values in ascending order of their bits.
    const last = name === "bfloat16" ? 0x7f7f : 0x7bff;
    for (let bits = 0; bits < last; bits += 7) {
      const [low, high] = widen(Uint16Array.of(bits, bits + 1)) as unknown as [number, number];
      const half = (low + high) / 2;
      const nudge = (high - low) / 1024;
      const rounded = narrow(Float32Array.of(half, half - nudge, half + nudge, -half));
      const even = bits % 2 === 0 ? bits : bits + 1;
      assert.equal([...rounded], [even, bits, bits + 1, even | 0x8000], `between ${low} and ${high}`);
    }
  });
}

test("bfloat16 widens at any length and any even offset", () => {
  const bits = Uint16Array.of(0, 0x3f80, 0x4000, 0x4040, 0x4080);
  for (const [from, to] of [
    [0, 5],
    [1, 5],
    [1, 4],
    [2, 3],
    [3, 3],
  ] as const) {
    assert.equal([...bfloat16ToFloat32(bits.subarray(from, to))], [0, 1, 2, 3, 4].slice(from, to));
  }
});

test("known bit patterns", () => {
  assert.equal(
    [...float32ToBfloat16(Float32Array.of(1, -2, 0.1, 3.4e38, Infinity))],
    [0x3f80, 0xc000, 0x3dcd, 0x7f80, 0x7f80],
  );
  assert.equal(
    [...float32ToFloat16(Float32Array.of(1, -2, 0.1, 65504, 65520, 2 ** -24, 2 ** -25))],
    [0x3c00, 0xc000, 0x2e66, 0x7bff, 0x7c00, 1, 0],
  );
});

test.run();
