// Expectations on average: what chance explains is no mistake, and what it does not is.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sourceFile } from "../../compiler/source/index.ts";
import { openEngine } from "../../runtime/index.ts";
import { openSubject } from "../probe/subject.ts";
import { libraryAt } from "../project/library.ts";
import { sharesOff } from "./shares.ts";

const test = suite("expectations on average");
const { engine } = await openEngine("cpu");

const text = (expected: readonly string[]) => `strategy: s
params:
  p: {type: number, default: 0.3}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
  keep: prefix(1) with probability p
loss:
  v: mse(video.prediction, video.target) over video.generated
expect:
${expected.map((each) => `  - ${each}\n`).join("")}`;

async function off(expected: readonly string[], seed: number): Promise<readonly string[]> {
  const file = sourceFile("s.strategy", text(expected));
  const { subject } = await openSubject(libraryAt(".", "s.strategy"), file, { imports: async () => null });
  if (subject === null) throw new Error("this does not compile");
  return (await sharesOff(engine, subject, seed)).map(
    ({ code, span }) => `${code} ${file.text.slice(span.start, span.end)}`,
  );
}

test("what is true on average holds, and what is not is found", async () => {
  // Of the three frames of these videos one is kept, in 0.3 of the samples; progress is 0.5 on average.
  const right = ["any(video.keep, token) about p", "mean(video.keep) about 0.1 within 0.03", "progress about 0.5"];
  const wrong = ["any(video.keep, token) about 0.5", "video.keep about 0.3 within 0.05", "progress about 0.3"];
  const found = wrong.map((each) => `LTX7132 ${each}`);
  assert.equal(await off([...right, ...wrong], 1), found);
});

test("without any nothing is drawn", async () => {
  assert.equal(await off(["video.sigma >= 0"], 0), []);
});

test.run();
