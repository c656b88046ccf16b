// Version 2 of the language: over which axes a draw in a `let` runs.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, emitIr } from "./index.ts";

const test = suite("draws in let");

const strategy = (eps: string, video: string, language = 2, loss = ""): string => `strategy: test
language: ${language}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
let:
  eps: ${eps}
video:
  latents: latents
${video}loss:
  video: mse(video.prediction, video.target)
${loss}`;

const codesOf = (text: string): string[] => {
  const { diagnostics } = check({ path: "test.strategy", text });
  return diagnostics.map(({ code }) => code).filter((code) => code !== "LTX5003");
};
const lineOf = (text: string, key: string): string =>
  new RegExp(`^ *${key}:.*$`, "m").exec(emitIr({ path: "test.strategy", text }).text ?? "")?.[0].trim() ?? "";

test("the noise's name is a number for each element, rounded as the latents are", () => {
  const named = strategy("randn()", "  noise: eps\n");
  assert.equal(codesOf(named), []);
  assert.is(lineOf(named, "eps"), 'eps: f32[batch, token:video, channel] = randn "let.eps" as latents');
  assert.equal(codesOf(strategy("(randn() + 0.1 * randn() per channel) / 1.005", "  noise: eps\n")), []);
});

test("elsewhere it says what it draws", () => {
  const loss = "  more: eps * mse(video.prediction, video.target)\n";
  assert.equal(codesOf(strategy("randn()", "", 2, loss)).includes("LTX4042"), true);
  assert.equal(codesOf(strategy("randn() per sample", "", 2, loss)).includes("LTX4042"), false);
  assert.equal(codesOf(strategy("randn()", "", 1, loss)).includes("LTX4042"), false);
  assert.match(lineOf(strategy("randn() per sample", "  noise: randn() + 0 * eps\n"), "eps"), /f32\[batch\]/);
});

test("version 1 keeps one number for each sample, which is no noise", () => {
  assert.ok(codesOf(strategy("randn()", "  noise: eps\n", 1)).includes("LTX5032"));
});

test.run();
