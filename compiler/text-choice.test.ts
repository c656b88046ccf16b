// A modality's text as a choice: which sample gets which, what the loss can read of it, and what is refused.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { TextEmbeddings } from "../runtime/contract.ts";
import { B, batchOf, kept, near, run } from "../scripts/run-strategy.ts";
import { check } from "./index.ts";

const test = suite("texts as a choice");

const strategy = (
  video: string,
  audio = "",
  loss = "loss:\n  first: float(video.text[0]) * mean(video.prediction)\n",
) =>
  `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  sound: {directory: sound, kind: audio_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  empty: {file: empty.pt, kind: text_embeddings}
  other: {directory: other, kind: text_embeddings}
video:
  latents: latents
${video}${audio}${loss}`;

const text = (value: number, mask: number): TextEmbeddings => ({
  kind: "text_embeddings",
  video: kept([B, 2, 1], () => value),
  audio: kept([B, 2, 1], () => -value),
  mask: kept([B, 2], (i) => (i % 2 === 0 ? 1 : mask)),
});

/** Texts of 1 (`conditions`), 2 (`empty`) and 3 (`other`); the mask of `empty` has a 0 at its end. */
const batch = () => {
  const { size, sources } = batchOf();
  return { size, sources: { ...sources, conditions: text(1, 1), empty: text(2, 0), other: text(3, 1) } };
};

const three = (p: string, q: string): string =>
  `  text:\n    - empty with probability ${p}\n    - other with probability ${q}\n    - conditions\n`;

/** For each sample its text, and the masks of the three entries. */
async function outcome(p: string, q: string) {
  const loss = [0, 1, 2].map((i) => `  t${i}: float(video.text[${i}]) * mean(video.prediction * 2)\n`).join("");
  const { values, drawn } = await run(strategy(three(p, q), "", `loss:\n${loss}`), {}, batch());
  const shares = [0, 1, 2].map((i) => values.get(`loss.t${i}`));
  return { context: values.get("video.context"), mask: values.get("video.contextMask"), shares, drawn };
}

test("each sample gets the first text that is drawn, the last one what is left", async () => {
  assert.equal((await outcome("1", "1")).context, [2, 2, 2, 2]);
  assert.equal((await outcome("1", "1")).mask, [1, 0, 1, 0]);
  assert.equal((await outcome("0", "1")).context, [3, 3, 3, 3]);
  const last = await outcome("0", "0");
  assert.equal(
    [last.context, last.mask],
    [
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ],
  );
  assert.equal(last.drawn.toSorted(), ["video.noise", "video.sigma", "video.text[0]", "video.text[1]"]);
});

test("`text[i]` is true for the samples that got it: one of them for every sample", async () => {
  assert.equal((await outcome("1", "1")).shares, [
    [1, 1],
    [0, 0],
    [0, 0],
  ]);
  assert.equal((await outcome("0", "1")).shares, [
    [0, 0],
    [1, 1],
    [0, 0],
  ]);
  assert.equal((await outcome("0", "0")).shares, [
    [0, 0],
    [0, 0],
    [1, 1],
  ]);
  const { shares, context } = await outcome("0.5", "0.5");
  for (let sample = 0; sample < B; sample++) {
    const place = shares.findIndex((share) => share?.[sample] === 1);
    near(
      shares.map((share) => share?.[sample] ?? NaN),
      [0, 1, 2].map((i) => Number(i === place)),
    );
    assert.is(context?.[2 * sample], [2, 3, 1][place]);
  }
});

test("audio shares the outcome, unless it writes a text of its own", async () => {
  const of = (audio: string) =>
    run(
      strategy(
        three("1", "0"),
        `audio:\n  latents: sound\n${audio}`,
        "loss:\n  all: mse(video.prediction, video.target) + mse(audio.prediction, audio.target)\n",
      ),
      {},
      batch(),
    );
  const shared = await of("");
  assert.equal(
    [shared.values.get("audio.context"), shared.values.get("audio.contextMask")],
    [
      [-2, -2, -2, -2],
      [1, 0, 1, 0],
    ],
  );
  assert.ok(!shared.drawn.some((name) => name.startsWith("audio.text")));
  assert.equal((await of("  text: other\n")).values.get("audio.context"), [-3, -3, -3, -3]);
});

test("inside of the modality `text[0]` needs no prefix, and a probability may differ from sample to sample", async () => {
  const { values } = await run(
    strategy(
      "  text:\n    - empty with probability float(sigma > 0)\n    - conditions\n  keep: if text[0] then first_frame else all\n",
      "",
      "loss:\n  all: mse(video.prediction, video.target) over video.generated\n",
    ),
    {},
    batch(),
  );
  assert.equal(values.get("video.generated")?.slice(0, 12), [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
});

const codesOf = (video: string, loss?: string): readonly string[] =>
  check({ path: "test.strategy", text: strategy(video, "", loss).replace(/^  sound.*\n/m, "") })
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code }) => code);

test("what is written wrongly is one finding each", () => {
  const plain = "loss:\n  all: mse(video.prediction, video.target)\n";
  assert.equal(codesOf("  text:\n    - empty\n    - conditions\n", plain), ["LTX5091"]);
  assert.equal(codesOf("  text:\n    - conditions\n    - empty with probability 0.1\n", plain), ["LTX5091"]);
  assert.equal(codesOf("  text: empty with probability 0.1\n", plain), ["LTX5091"]);
  assert.equal(codesOf("  text:\n    - empty with probability 0.1\n    - conditions with probability 0.9\n", plain), [
    "LTX5091",
  ]);
  assert.equal(codesOf("  text:\n    - empty with probability 0.1\n    - empty\n", plain), ["LTX5092"]);
  assert.equal(codesOf("  text:\n    - empty with probability 1.5\n    - conditions\n", plain), ["LTX5017"]);
  assert.equal(codesOf("  text:\n    - latents with probability 0.1\n    - conditions\n", plain), ["LTX5014"]);
  assert.equal(codesOf("  text:\n    - empty with probability mean(clean, channel)\n    - conditions\n", plain), [
    "LTX4015",
  ]);
  assert.equal(
    codesOf("  text:\n    - empty with probability mean(prediction) > 0\n    - conditions\n", plain).length,
    1,
  );
  assert.equal(codesOf("  text:\n    - empty with probability sigmoid(mean(prediction))\n    - conditions\n", plain), [
    "LTX5015",
  ]);
  assert.equal(
    codesOf("  text: conditions\n", "loss:\n  all: float(video.text[1]) * mse(video.prediction, video.target)\n"),
    ["LTX5093"],
  );
  assert.equal(codesOf("  text: []\n", plain), ["LTX2007"]);
});

test("an empty caption that is no source leads to one", () => {
  for (const item of ["null", "none", '""', "uncond"]) {
    const { diagnostics } = check({
      path: "test.strategy",
      text: strategy(`  text:\n    - ${item} with probability 0.1\n    - conditions\n`),
    });
    assert.match(diagnostics.map(({ help }) => help).join(), "`empty: {file: empty.pt, kind: text_embeddings}`", item);
  }
});

test.run();
