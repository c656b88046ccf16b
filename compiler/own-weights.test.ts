// Trained tokens of captions: where they stand, what they begin with, and what is refused.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { TextEmbeddings } from "../runtime/contract.ts";
import { B, batchOf, kept, run } from "../scripts/run-strategy.ts";
import { check, compilePython } from "./index.ts";

const test = suite("weights of the strategy's own");

const two =
  "weights:\n  one: {axes: [text: 2, hidden], like: conditions}\n  more: {axes: [text: 1, hidden], like: empty, init: 0}\n";

const strategy = (text: string, { weights = two, audio = "", passes = "" } = {}) => `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
${audio === "" ? "" : "  sound: {directory: sound, kind: audio_latents}\n"}  conditions: {directory: conditions, kind: text_embeddings}
  empty: {file: empty.pt, kind: text_embeddings}
${weights}${passes}video:
  latents: latents
${text}${audio}loss:
  video: mse(video.prediction, video.target)${audio === "" ? "" : " + mse(audio.prediction, audio.target)"}
`;

const caption = (value: number, mask: number): TextEmbeddings => ({
  kind: "text_embeddings",
  video: kept([B, 2, 1], () => value),
  audio: kept([B, 2, 1], () => 10 * value),
  mask: kept([B, 2], (i) => (i % 2 === 0 ? 1 : mask)),
});

const batch = () => {
  const { size, sources } = batchOf();
  return { size, sources: { ...sources, conditions: caption(1, 1), empty: caption(2, 0) } };
};

async function contextOf(...made: Parameters<typeof strategy>) {
  const { values, step } = await run(strategy(...made), {}, batch());
  const of = (name: string) => values.get(name);
  return { video: of("video.context"), mask: of("video.contextMask"), audio: of("audio.context"), step };
}

test("the tokens stand in front of every sample's text, and are attended to", async () => {
  const { video, mask, step } = await contextOf("  text: insert(empty, one, more)\n");
  assert.equal(video, [-1, -2, -11, 2, 2, -1, -2, -11, 2, 2]);
  assert.equal(mask, [1, 1, 1, 1, 0, 1, 1, 1, 1, 0]);
  assert.equal(step.strategy.weights, [
    { name: "one", modalities: ["video"], tokens: 2, std: 0.02, mean: 0 },
    { name: "more", modalities: ["video"], tokens: 1, std: 0, mean: 0 },
  ]);
  assert.equal(step.strategy.modalities.video?.inserted, ["one", "more"]);
});

test("where texts have tokens in front and others have not, nothing attends to what fills the gap", async () => {
  const listed = (p: string) =>
    `  text:\n    - insert(empty, more) with probability ${p}\n    - insert(conditions, one, more)\n`;
  const first = await contextOf(listed("1"));
  assert.equal(first.video?.slice(0, 5), [0, 0, -11, 2, 2]);
  assert.equal(first.mask?.slice(0, 5), [0, 0, 1, 1, 0]);
  const last = await contextOf(listed("0"));
  assert.equal(last.video?.slice(0, 5), [-1, -2, -11, 1, 1]);
  assert.equal(last.step.strategy.modalities.video?.inserted, ["one", "more"]);
});

test("a text may be listed once with and once without the tokens", async () => {
  const { video, mask } = await contextOf(
    "  text:\n    - conditions with probability 1\n    - insert(conditions, one, more)\n",
  );
  assert.equal(video?.slice(0, 5), [0, 0, 0, 1, 1]);
  assert.equal(mask?.slice(0, 5), [0, 0, 0, 1, 1]);
});

test("audio has tokens of its own, as wide as its text", async () => {
  const audio = "audio: {latents: sound, text: 'insert(conditions, one)'}\n";
  const made = await contextOf("  text: insert(conditions, one, more)\n", { audio });
  assert.equal(made.audio?.slice(0, 4), [-101, -102, 10, 10]);
  assert.equal(
    made.step.strategy.weights?.map(({ modalities }) => modalities),
    [["video", "audio"], ["video"]],
  );
});

test("a pass inserts what the step's own call does, or what it says itself", async () => {
  const made = (video: string) =>
    run(
      strategy("  text: insert(conditions, one, more)\n", {
        passes: `passes:\n  plain: {adapters: false${video}}\n`,
      }).replace("video.target)", "plain.video.prediction)"),
      {},
      batch(),
    );
  assert.equal((await made("")).values.get("plain.video.context")?.slice(0, 5), [-1, -2, -11, 1, 1]);
  assert.equal((await made(", video: {text: conditions}")).values.get("plain.video.context")?.slice(0, 2), [1, 1]);
});

test("a pass that calls the moving average is given that of the tokens, the base model those that are trained", async () => {
  const contextOfPass = async (adapters: string) => {
    const passes = `passes:\n  other: {adapters: ${adapters}, video: {sigma: video.sigma / 2}}\n`;
    const text = strategy("  text: insert(conditions, one)\n", { weights: two.split("  more")[0] ?? "", passes });
    const { values } = await run(text.replace("video.target)", "other.video.prediction)"), {}, batch());
    return [values.get("video.context")?.slice(0, 4), values.get("other.video.context")?.slice(0, 4)];
  };
  const trained = [-1, -2, 1, 1];
  assert.equal(await contextOfPass("ema"), [trained, [-0.5, -1.5, 1, 1]]);
  assert.equal(await contextOfPass("false"), [trained, trained]);
});

const found = (...made: Parameters<typeof strategy>): string[] =>
  check({ path: "test.strategy", text: strategy(...made) }).diagnostics.map(
    ({ code, message }) => `${code} ${message}`,
  );

const one = (more: string) => ({ weights: `weights:\n  one: {${more}}\n` });

test("what is wrong with a weight is said at its place", () => {
  const text = "  text: insert(conditions, one)\n";
  for (const axes of [
    "[text: 8]",
    "[hidden]",
    "[text, hidden]",
    "[text: 0, hidden]",
    "[hidden, text: 8]",
    "[text: 2.5, hidden]",
  ])
    assert.match(found(text, one(`axes: ${axes}, like: conditions`)).join(), /^LTX5067 the axes of `one` are/, axes);
  assert.match(found(text, one("axes: [text: 8, hidden], like: latents")).join(), /^LTX5068/);
  assert.match(found(text, one("axes: [text: 8, hidden], like: condition")).join(), /^LTX3001/);
  assert.match(found(text, one("axes: [text: 8, hidden]")).join(), /^LTX2\d+ .*`like`/);
  for (const init of ["uniform(0, 1)", "randn(1, 2)", "randn(-1)", "one"])
    assert.match(
      found(text, one(`axes: [text: 8, hidden], like: conditions, init: "${init}"`)).join(),
      /^LTX5069/,
      init,
    );
});

test("`insert` takes a text and weights, in `text` alone", () => {
  assert.match(found("  text: insert(conditions)\n").join(), /^LTX5071 `insert` takes a source of text/);
  assert.match(found("  text: insert(conditions, empty)\n").join(), /^LTX5071 .*`empty` is a source/);
  assert.match(found("  text: insert(conditions, other)\n").join(), /^LTX3001/);
  assert.match(found("  text: insert(latents, one)\n").join(), /^LTX5014/);
  assert.match(found("  text: conditions\n  noise: insert(randn(), one)\n").join(), /^LTX5071 `insert` makes a text/);
  assert.match(
    found("  text: insert(conditions, more)\n  noise: randn() + one\n").join(),
    /^LTX4006 `one` is trained tokens/,
  );
});

test("a weight that nothing inserts is unused, and one of constant predictions alone is not trained", () => {
  assert.equal(found("  text: insert(conditions, one)\n"), ["LTX5003 the weight `more` is never used"]);
  const passes = "passes:\n  plain: {adapters: false, video: {text: 'insert(conditions, one, more)'}}\n";
  const text = strategy("  text: conditions\n", { passes }).replace("video.target)", "plain.video.prediction)");
  const codes = check({ path: "test.strategy", text }).diagnostics.map(({ code }) => code);
  assert.equal(codes, ["LTX5070", "LTX5070"]);
});

test("the official trainer is told to be no place for it", async () => {
  const source = {
    path: "test.strategy",
    text: strategy("  text: insert(conditions, one, more)\n")
      .replace(/^  empty.*\n/m, "")
      .replace("like: empty", "like: conditions"),
  };
  const { diagnostics } = await compilePython(source);
  assert.equal(
    diagnostics.map(({ code }) => code),
    ["LTX6389", "LTX6389"],
  );
});

test.run();
