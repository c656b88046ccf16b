import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createSmoother, smoothed } from "./smooth.ts";

const test = suite("smooth");
const near = (a: number | undefined, b: number) =>
  assert.ok(Math.abs((a ?? Number.NaN) - b) < 1e-12, `${a} is not ${b}`);

test("begins at the first value, not at zero", () => {
  near(createSmoother(100)(0.7), 0.7);
  for (const value of smoothed([3, 3, 3, 3])) near(value, 3);
});

test("each value fades by the same factor", () => {
  // The shortest memory keeps four fifths: (0.8 * 1 + 2) / (0.8 + 1).
  near(smoothed([1, 2])[1], 2.8 / 1.8);
  const long = createSmoother(3000);
  long(1);
  near(long(2), 2.98 / 1.98);
});

test("a value that is no number changes nothing", () => {
  near(smoothed([1, Number.NaN])[1], 1);
});

test.run();
