// Features of sources and heads: which may meet.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check } from "./index.ts";

const test = suite("features");

const codesOf = (term: string, lets = ""): string[] => {
  const text = `strategy: test
params:
  size: {type: integer, default: 32, minimum: 1}
sources:
  latents: {directory: latents, kind: video_latents}
  dino: {directory: dino, kind: tensor, key: x, axes: [token:video, feature]}
  clip: {directory: clip, kind: tensor, key: x, axes: [feature]}
  conditions: {directory: conditions, kind: text_embeddings}
outputs:
  middle: {tap: block 1, modality: video}
  guess: {linear: middle, features: 8}
  again: {linear: middle, features: 8}
  wide: {linear: middle, features: 16}
  free: {linear: middle, features: "\${size}"}
networks:
  judge: {architecture: [linear 32, gelu, linear 8], from: judge.safetensors}
  other: {architecture: [linear 16], from: other.safetensors}
let:
  centred: dino - mean(dino, token)
${lets}video:
  latents: latents
loss:
  video: mse(video.prediction, video.target)
  more: ${term}
`;
  const { diagnostics } = check({ path: "test.strategy", text });
  return diagnostics.map(({ code }) => code).filter((code) => code !== "LTX5003" && code !== "LTX5031");
};

for (const term of [
  "mse(guess, dino - clip)",
  "mean(clip * centred * guess)",
  "mse(guess, if mean(dino, feature) > 0 then clip else dino)",
])
  test(`${term} mixes two encoders`, () => assert.equal(codesOf(term), ["LTX4028"]));

test("the same through names, and silenced where it is meant", () => {
  assert.equal(codesOf("mse(guess, both)", "  both: centred + stop_gradient(clip)\n"), ["LTX4028"]);
  assert.equal(
    codesOf("mse(guess, both)", "  # allow: LTX4028 one encoder\n  both: centred + stop_gradient(clip)\n"),
    [],
  );
});

for (const term of ["mse(guess, wide)", "mean((guess - 2 * wide)^2)", "cosine_distance(stop_gradient(wide), guess)"])
  test(`${term} has two widths`, () => assert.equal(codesOf(term), ["LTX4029"]));

test("heads of one width, a source with several heads, and what was reduced meet", () => {
  assert.equal(codesOf("mse(guess, again) + mse(guess, centred) + cosine_distance(again, dino)"), []);
  assert.equal(codesOf("mean(guess * mean(wide, feature)) + mse(guess, dino) * mean(clip)"), []);
  assert.equal(codesOf("mse(free, guess)"), []);
});

test("networks are as wide as their last layer, and take values of one width", () => {
  assert.equal(codesOf("mse(guess, judge(video.clean))"), []);
  assert.equal(codesOf("mse(wide, judge(video.clean))"), ["LTX4029"]);
  assert.equal(codesOf("mean((other(video.denoised) - named)^2)", "  named: judge(video.clean)\n"), ["LTX4029"]);
  assert.equal(codesOf("mse(judge(guess), judge(again))"), []);
  assert.equal(codesOf("mse(judge(guess), judge(dino))"), []);
  assert.equal(codesOf("mse(judge(guess), judge(wide))"), ["LTX4033"]);
  assert.equal(codesOf("mse(judge(other(video.clean)), judge(guess))"), ["LTX4033"]);
});

test.run();
