// Written numbers are calculated when a strategy is compiled; everything else stays.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { emitIr } from "../../index.ts";

const test = suite("folding");

/** What the loss term `a` becomes, for an expression that stands in front of a loss. */
function foldedOf(expression: string): string {
  const { text } = emitIr({
    path: "a.strategy",
    text: `strategy: a
params:
  p: {type: number, default: 1}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  a: (${expression}) * mean(video.prediction)
  b: p * mean(video.prediction * 2)
`,
  });
  return /term a \(video\) = mul\((.*), (mean|loss\.part)/.exec(text ?? "")?.[1] ?? `${text}`;
}

test("numbers alone", () => {
  assert.is(foldedOf("2 * 3 + 1"), "7");
  assert.is(foldedOf("if 1 < 2 then 4 else 5"), "4");
  assert.is(foldedOf("-(2 ^ 3)"), "-8");
  assert.is(foldedOf("max(abs(0 - 3), sqrt(4))"), "3");
});

test("a choice that is made", () => {
  assert.is(foldedOf("if 3 > 2 then p else 2 * p"), "param p");
});

test("nothing that would not print as itself", () => {
  assert.is(foldedOf("1 / 0"), "div(1, 0)");
  assert.is(foldedOf("sqrt(0 - 1)"), "sqrt(-1)");
  assert.is(foldedOf("0 * (0 - 1)"), "mul(0, -1)");
});

test("what depends on a parameter stays", () => {
  assert.is(foldedOf("p * (1 + 1)"), "mul(param p, 2)");
});

test.run();
