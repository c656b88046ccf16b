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
  return /term a \(video\) = mul\((.*), (mean|loss\.mean)/.exec(text ?? "")?.[1] ?? `${text}`;
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

test("what changes no bit of a number is left out", () => {
  assert.is(foldedOf("1 * p"), "param p");
  assert.is(foldedOf("p / 1"), "param p");
  assert.is(foldedOf("p - 0"), "param p");
  assert.is(foldedOf("(video.height + 1) - 1"), "video.height");
  assert.is(foldedOf("0 + video.frames * 2"), "mul(video.frames, 2)");
  assert.is(foldedOf("uniform(0, 1)"), 'rand "loss.a"');
  assert.is(foldedOf("uniform(0, 0.5)"), 'mul(rand "loss.a", 0.5)');
});

test("what may change a bit stays", () => {
  // -0 + 0 is 0, and a sum with a number that is not whole may be rounded.
  assert.is(foldedOf("0 + p"), "add(0, param p)");
  assert.is(foldedOf("(p + 1) - 1"), "sub(add(param p, 1), 1)");
  assert.is(foldedOf("(video.height + 0.1) - 0.1"), "sub(add(video.height, 0.1), 0.1)");
  assert.is(foldedOf("(video.height + 1) - 2"), "sub(add(video.height, 1), 2)");
  assert.is(foldedOf("p * 0"), "mul(param p, 0)");
  assert.is(foldedOf("1 / p"), "div(1, param p)");
});

test("what depends on a parameter stays", () => {
  assert.is(foldedOf("p * (1 + 1)"), "mul(param p, 2)");
});

test.run();
