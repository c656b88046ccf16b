import { suite } from "uvu";
import * as assert from "uvu/assert";
import { applyEdits } from "../../source/edits.ts";
import { spacingEdits } from "./spacing.ts";

const test = suite("spacing of expressions");
const spaced = (text: string) => applyEdits(text, spacingEdits(text));

const cases: readonly (readonly [string, string])[] = [
  ["a+b*  c", "a + b * c"],
  ["- x - -y", "-x - -y"],
  ["(a) -(b)", "(a) - (b)"],
  ["f (a , b,delta = 1)", "f(a, b, delta=1)"],
  ["x ^ 2 ^ - y", "x^2^-y"],
  ["region [ 0 ] . x ( )", "region[0].x()"],
  ["mse(a,b)over   not(m)", "mse(a, b) over not (m)"],
  ["randn()per ( frame , token : video )", "randn() per (frame, token:video)"],
  ["first_frame  with  probability  -p", "first_frame with probability -p"],
  ["m with probability(p)", "m with probability (p)"],
  ["probability -1", "probability - 1"],
  ["if a<b then -1 else c>=- d", "if a < b then -1 else c >= -d"],
  ["0.50+1e-3", "0.50 + 1e-3"],
  ["a +\n   b*c", "a +\n   b * c"],
  ["a ; b+c", "a ; b+c"],
];

for (const [text, expected] of cases) test(text, () => assert.is(spaced(text), expected));

test.run();
