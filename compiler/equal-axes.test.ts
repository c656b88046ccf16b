// Version 2 of the language: which values a loss compares.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, type Library } from "./index.ts";

const test = suite("equal axes");

const strategy = (term: string, language = 2): string => `strategy: test
language: ${language}
sources:
  latents: {directory: latents, kind: video_latents}
  importance: {directory: importance, kind: tensor, key: x, axes: [frame]}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
loss:
  video: mse(video.prediction, video.target)
  more: ${term}
`;

function codesOf(text: string, library?: Library): string[] {
  const { diagnostics } = check({ path: "test.strategy", text }, library === undefined ? {} : { library });
  return diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code);
}

const unlike = [
  "mse(video.prediction, video.sigma)",
  "huber(video.prediction, mean(video.target, axis=channel), 1)",
  "charbonnier(mean(video.prediction, axis=token), video.target) over all",
  "cosine_distance(video.prediction, mean(video.target, axis=token))",
  "mae(mean(video.prediction, axis=channel), mean(importance, axis=frame))",
];

for (const term of unlike)
  test(`${term} is refused in version 2 alone`, () => {
    assert.equal(codesOf(strategy(term)), ["LTX4026"]);
    assert.not.ok(codesOf(strategy(term, 1)).includes("LTX4026"));
  });

test("numbers, grids as tokens, other samples and what is the same for all samples are taken", () => {
  assert.equal(codesOf(strategy("mae(video.prediction, 0)")), []);
  assert.equal(codesOf(strategy("mse(mean(video.prediction, axis=channel), importance)")), []);
  assert.equal(codesOf(strategy("mse(mean(video.prediction, axis=channel), video.frame_index)")), []);
  assert.equal(codesOf(strategy("-0.1 * mse(video.prediction, others(video.target))")), []);
  assert.equal(codesOf(strategy("mse(tokens(latents) - video.prediction, video.target)")), []);
});

test("a base of version 1 keeps its comparisons", () => {
  const base = strategy("mse(video.prediction, video.sigma)", 1);
  const library: Library = { root: null, names: [], read: () => ({ path: "base.strategy", text: base }) };
  assert.equal(codesOf("strategy: own\nlanguage: 2\nextends: ./base.strategy\n", library), []);
});

test.run();
