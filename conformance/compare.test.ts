import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { GoldenTensor } from "./case.ts";
import { compare } from "./compare.ts";
import { widen } from "./widen.ts";

const test = suite("conformance");
const expected = (...values: number[]): GoldenTensor => ({
  dtype: "F32",
  shape: [values.length],
  data: Float64Array.from(values),
});
const actual = (...values: number[]) => ({ shape: [values.length], data: values });

test("values within |a - e| <= atol + rtol |e| agree, others are named with the worst one", () => {
  assert.equal(compare("x", actual(1.05, 10), expected(1, 10), { atol: 0.01, rtol: 0.05 }), []);
  assert.equal(compare("x", actual(1, 2.5, 9), expected(1, 2, 3), { atol: 0.1 }), [
    "x[2]: 9, expected 3; 2 of 3 elements differ by more than 0.1 + 0 * |expected|",
  ]);
});

test("the worst element is named by its coordinates, a scalar by its name alone", () => {
  const at = (shape: readonly number[], data: readonly number[]) => ({ shape, data });
  const found = compare(
    "x",
    at([2, 3, 2], [0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0]),
    at([2, 3, 2], Array(12).fill(0)),
    "exact",
  );
  assert.equal(found, ["x[1, 1, 1]: 7, expected 0; 2 of 12 elements differ"]);
  assert.equal(compare("x", at([], [1]), at([], [2]), "exact"), ["x: 1, expected 2; 1 of 1 elements differ"]);
});

test("exact means equal; infinities equal themselves", () => {
  assert.equal(compare("x", actual(1, -Infinity), expected(1, -Infinity), "exact"), []);
  assert.match(compare("x", actual(1 + 1e-12), expected(1), "exact")[0] ?? "", /1 of 1 elements differ$/);
});

test("a NaN on one side is a difference, whatever the tolerance", () => {
  assert.is(compare("x", actual(NaN, 1), expected(0, 1), { atol: 1e9 }).length, 1);
  assert.is(compare("x", actual(0), expected(NaN), { atol: 1e9 }).length, 1);
  assert.equal(compare("x", actual(NaN), expected(NaN), "exact"), []);
});

test("shapes are part of the value", () => {
  assert.equal(compare("x", { shape: [2, 1], data: [1, 2] }, expected(1, 2), "exact"), [
    "x: shape [2, 1], expected [2]",
  ]);
});

test("stored dtypes widen to their values", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  assert.equal([...widen("BF16", bytes(0x80, 0x3f, 0x00, 0xc0))], [1, -2]);
  assert.equal([...widen("F16", bytes(0x00, 0x3c, 0x01, 0x00, 0x00, 0xfc))], [1, 2 ** -24, -Infinity]);
  assert.equal([...widen("I64", bytes(255, 255, 255, 255, 255, 255, 255, 255))], [-1]);
  assert.throws(() => widen("C64", bytes()), /not used by golden vectors/);
});

test.run();
