// Files far larger than anybody writes: no stack overflows, and nothing grows faster than the file.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check } from "./index.ts";
import { emitModule } from "./4-emit/typescript/module.ts";

const test = suite("growth");

const head = `strategy: long
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  marked: {directory: marked, kind: video_mask}
`;

const strategy = (lets: readonly string[], region: string) =>
  `${head}let:\n${lets.map((line) => `  ${line}\n`).join("")}video:\n  latents: latents\n  keep: first_frame\nloss:\n  l: mse(video.prediction, video.target) over ${region}\n`;

const many = (count: number, line: (i: number) => string) => Array.from({ length: count }, (_, i) => line(i));
const options = { compiler: "0", contract: 1, sourceHash: "", paramsSchema: {} };

function errors(text: string): string[] {
  const { file, diagnostics, program } = check({ path: "a.strategy", text });
  if (program !== null) emitModule(program, { ...options, source: file });
  return diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code);
}

test("5,000 values, each made of the one before, in either order", () => {
  const lets = ["x0: marked", ...many(4999, (i) => `x${i + 1}: x${i} + 1`)];
  assert.equal(errors(strategy(lets, "(x4999 > 0 and video.generated)")), []);
  assert.equal(errors(strategy(lets.toReversed(), "(x4999 > 0 and video.generated)")), []);
});

test("masks that are made of the one before twice over", () => {
  const lets = ["m0: marked > 0.5", ...many(2999, (i) => `m${i + 1}: m${i} and not (m${i} and marked > 1)`)];
  assert.equal(errors(strategy(lets, "(m2999 and video.generated)")), []);
  assert.equal(errors(strategy(lets, "(m2999 or not m2999)")), ["LTX5002"]);
});

test("bindings with arguments that double each time are refused, once", () => {
  const chain = ["f0(a): a + 1", ...many(40, (i) => `f${i + 1}(a): f${i}(a) * f${i}(a)`)];
  assert.equal(errors(strategy([...chain, "x: f40(marked) > 0"], "x")), ["LTX1104"]);
  const nested = `${"sq(".repeat(40)}marked${")".repeat(40)}`;
  assert.equal(errors(strategy(["sq(a): a * a", `x: ${nested} > 0`], "x")), ["LTX1104"]);
  const deep = ["g0(a): a + 1", ...many(3000, (i) => `g${i + 1}(a): g${i}(a)`)];
  assert.equal(errors(strategy([...deep, "x: g3000(marked) > 0"], "x")), ["LTX1104"]);
});

test("thousands of unknown names are all reported", () => {
  const found = errors(
    strategy(
      many(3000, (i) => `x${i}: nonsense${i}`),
      "video.generated",
    ),
  );
  assert.is(found.length, 3000);
});

test("a round of 3,000 values", () => {
  const lets = many(3000, (i) => `x${i}: x${(i + 1) % 3000} + 1`);
  assert.ok(errors(strategy(lets, "(x0 > 0 and video.generated)")).every((code) => code === "LTX5001"));
  const short = many(150, (i) => `x${i}: x${(i + 1) % 150} + 1`);
  assert.equal(errors(strategy(short, "(x0 > 0 and video.generated)")), ["LTX5001"]);
});

test.run();
