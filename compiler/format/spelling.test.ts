// In version 2 of the language, `fmt` writes one of two spellings; both compile to the same code.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compile, compilePython, emitIr } from "../index.ts";
import { format } from "./format.ts";

const test = suite("spelling");

const strategy = (term: string, language = 2): string => `strategy: example
language: ${language}
params:
  p: {type: number, default: 2}

sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}

let:
  x: video.prediction - video.target
  m: video.frame_index < 2

video:
  latents: latents

loss:
  v: ${term}
`;

const written = (term: string): string => {
  const text = format({ path: "example.strategy", text: strategy(term) }).text ?? "";
  return text.slice(text.indexOf("  v: ") + 5).trimEnd();
};

/** A module without its comments, which quote the strategy, and without the strategy's hash. */
const codeOf = (text = ""): string =>
  text.replace(/^ *(?:\/\/|#|sourceHash:|"source_hash":).*$/gm, "").replace(/"""[^]*?"""/g, "");

const spellings: readonly (readonly [string, string])[] = [
  ["mean(square(x))", "mean(x^2)"],
  ["mean(square(video.prediction - video.target))", "mean((video.prediction - video.target)^2)"],
  ["mean(square((video.prediction - video.target)))", "mean((video.prediction - video.target)^2)"],
  ["mean((square(x)) * 2)", "mean((x^2) * 2)"],
  ["mean(pow(abs(x), p + 1))", "mean(abs(x)^(p + 1))"],
  ["mean(pow(abs(x), -p))", "mean(abs(x)^-p)"],
  ["mean(pow(square(x), 2)^2)", "mean(((x^2)^2)^2)"],
  ["mean(p^square(x))", "mean(p^x^2)"],
  ["mean(-square(x))", "mean(-x^2)"],
  ["mean(square(-x))", "mean((-x)^2)"],
  ["mean(where(m, x^2, 0))", "mean(if m then x^2 else 0)"],
  ["mean(where(m, x^2, 0) * 2)", "mean((if m then x^2 else 0) * 2)"],
  ["mean((where(m, x^2, 0)) * 2)", "mean((if m then x^2 else 0) * 2)"],
  [
    "mean(where(m or not m, where(m, 1, 2), where(m, 3, 4)) * x^2)",
    "mean((if m or not m then (if m then 1 else 2) else if m then 3 else 4) * x^2)",
  ],
  ["square(mse(x, 0) over m)", "(mse(x, 0) over m)^2"],
  ["mse(x, 0) over where(m, 1, 2)", "mse(x, 0) over (if m then 1 else 2)"],
  [
    "mean(square(randn() per frame) * where(m, randn(), 1) * x^2)",
    "mean((randn() per frame)^2 * (if m then randn() else 1) * x^2)",
  ],
  ["mean(square(p) * x^2) + pow(p, 2) + square(3)", "mean(p^2 * x^2) + p^2 + 3^2"],
];

for (const [from, to] of spellings)
  test(`${from} is ${to}`, async () => {
    assert.is(written(from), to);
    assert.is(written(to), to);
    const [a, b] = [from, to].map((term) => ({ path: "example.strategy", text: strategy(term) }));
    assert.ok(a !== undefined && b !== undefined);
    assert.ok(emitIr(a).text !== null);
    assert.is(emitIr(a).text, emitIr(b).text);
    const [first, second] = [await compile(a), await compile(b)];
    assert.ok(first.program !== null && second.program !== null);
    assert.is(codeOf(first.module.text), codeOf(second.module.text));
    assert.is(codeOf(compilePython(a).artifacts[0]?.text), codeOf(compilePython(b).artifacts[0]?.text));
  });

test("version 1, arguments by name and other functions stay as they are", () => {
  const first = strategy("mean(square(x) * where(m, 1, 2))", 1);
  assert.is(format({ path: "example.strategy", text: first }).text, first);
  assert.is(written("mean(x^2 * where(m=m, a=1, b=2))"), "mean(x^2 * where(m=m, a=1, b=2))");
});

test("places in passes, lists and texts of several lines are respelled, too", () => {
  const text = strategy(`>-
    mean(
      where(m,
        square(x), 0)
    )`)
    .replace("video:\n", "passes:\n  near: {video: {noisy: video.noisy - square(video.sigma)}}\n\nvideo:\n")
    .replace(
      "latents: latents\n\n",
      "latents: latents\n  keep:\n    - video.frame_index < pow(p, 2) with probability square(0.5)\n\n",
    );
  const { text: after } = format({ path: "example.strategy", text });
  assert.match(after ?? "", "noisy: video.noisy - video.sigma^2");
  assert.match(after ?? "", "- video.frame_index < p^2 with probability 0.5^2");
  assert.match(after ?? "", /if m then x\^2 else 0/);
  assert.is(format({ path: "example.strategy", text: after ?? "" }).text, after);
});

test.run();
