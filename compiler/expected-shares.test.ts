// `about` and `within` in `expect`: how they are read, and what may stand around them.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check } from "./index.ts";
import { format } from "./format/format.ts";

const test = suite("what is expected on average");

const strategy = (expected: string, more = "") => `strategy: test
${more}sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
  keep: prefix(1) with probability 0.1
loss:
  v: mse(video.prediction, video.target) over video.generated
expect:
  - ${expected}
`;

const found = (expected: string, more?: string): string[] =>
  check({ path: "test.strategy", text: strategy(expected, more) }).diagnostics.map(
    ({ code, message }) => `${code} ${message}`,
  );

test("a value, and a number known before the run", () => {
  const params = "params:\n  p: {type: number, default: 0.1}\n";
  assert.equal(found("mean(video.keep) about 0.1"), []);
  assert.equal(found("video.keep about p within 0.1 * p", params), []);
  assert.equal(found("any(video.keep, token) about if video.frames > 1 then 0.1 else 0"), []);
  assert.equal(found("video.keep about video.sigma"), [
    "LTX5111 what follows `about` is a number known before the run",
  ]);
  assert.equal(found("video.keep about 0.1 within true"), [
    "LTX5111 what follows `within` is a number known before the run",
  ]);
  assert.equal(found("video.keep about 0.1 within 0"), ["LTX5111 what follows `within` is above 0"]);
  assert.equal(found("video.keep about 10"), ["LTX5111 a share lies in 0 to 1, this is 10"]);
});

test("a share has no unit", () => {
  assert.equal(found("mean(video.keep) about 10%"), ["LTX4054 this average takes a plain number, this counts percent"]);
  assert.equal(found("mean(video.sigma) about 0.5 within 10%"), [
    "LTX4054 this average takes a plain number, this counts percent",
  ]);
});

test("`mean` takes masks in front of `about` alone", () => {
  assert.equal(found("mean(video.keep) > 0.1"), ["LTX4002 `mean` takes numbers, this is `bool[batch, token:video]`"]);
  assert.equal(found("mean(video.keep, video.keep) about 0.1").length, 1);
});

test("both words are names elsewhere", () => {
  const params = "params:\n  about: {type: number, default: 2}\n  within: {type: number, default: 1}\n";
  assert.equal(found("about about about within within", params), []);
  assert.equal(found("video.sigma < about * within", params), []);
});

test("in another place they are told to belong to `expect`", () => {
  const text = strategy("video.keep").replace("over video.generated", "about 0.1");
  const [{ message, help } = { message: "", help: "" }] = check({ path: "test.strategy", text }).diagnostics;
  assert.match(message, /found `about`$/);
  assert.match(help ?? "", /ends an entry of `expect`/);
});

test("a formatter gives each word one space", () => {
  const { text } = format({ path: "test.strategy", text: strategy("mean( video.keep )  about 0.1   within   0.02") });
  assert.match(text ?? "", /^ {2}- mean\(video\.keep\) about 0\.1 within 0\.02$/m);
});

test.run();
