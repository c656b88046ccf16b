// Outputs of the model and metadata of checkpoints: what they mean.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { near, run } from "../scripts/run-strategy.ts";
import { check, compilePython } from "./index.ts";

const test = suite("outputs and metadata");

const strategy = (sections: string, sources = ""): string => `strategy: test
params:
  scale: {type: number, default: 2}
  style: {type: string, default: plain}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  dino: {directory: "${"${style}"}", kind: tensor, key: features, axes: [token:video, feature]}
${sources}video:
  latents: latents
${sections}`;
const velocity = "velocity: mse(video.prediction, video.target)";

test("heads come after the outputs that they read, whatever the order in the file", async () => {
  const text = strategy(`outputs:
  aligned: {linear: wide, features: 3}
  wide: {linear: mid, features: 8, activation: silu}
  mid: {tap: block 1, modality: video}
loss:
  ${velocity}
  align: cosine_distance(aligned, dino) over video.generated
  same: scale * mse(aligned, dino)
`);
  const { values, step } = await run(text, { scale: 2 });
  assert.equal(step.strategy.outputs, [
    { name: "mid", kind: "tap", modality: "video", block: 1 },
    { name: "wide", kind: "linear", modality: "video", input: "mid", features: 8, activation: "silu" },
    { name: "aligned", kind: "linear", modality: "video", input: "wide", features: 3, activation: "none" },
  ]);
  // The output that the test feeds equals the source.
  near(values.get("loss.align"), [0, 0]);
  near(values.get("loss.same"), [0, 0]);
});

test("parameters give the block of a tap and the width of a head, on both targets", async () => {
  const text = strategy(`outputs:
  mid: {tap: "block \${ layer }", modality: video}
  aligned: {linear: mid, features: "\${size}"}
loss:
  ${velocity}
  same: mse(aligned, dino)
`).replace(
    "params:\n",
    "params:\n  layer: {type: integer, default: -2}\n  size: {type: integer, minimum: 1, default: 3}\n",
  );
  const { values, step } = await run(text, { scale: 2, layer: 1, size: 3 });
  assert.equal(step.strategy.outputs, [
    { name: "mid", kind: "tap", modality: "video", block: -2, param: "layer" },
    {
      name: "aligned",
      kind: "linear",
      modality: "video",
      input: "mid",
      features: 3,
      activation: "none",
      param: "size",
    },
  ]);
  near(values.get("loss.same"), [0, 0]);
  assert.equal(
    check({ path: "test.strategy", text }).diagnostics.map(({ code }) => code),
    ["LTX5003"],
  );
  const python = compilePython({ path: "test.strategy", text }).artifacts[0]?.text ?? "";
  assert.match(python, `self.TAPS = {**self.TAPS, "mid": ("video", config.layer)}`);
  assert.match(python, `self.HEADS = {**self.HEADS, "aligned": ("mid", config.size)}`);
});

test("what stands in the braces of a tap is one parameter", () => {
  const codes = (tap: string) =>
    check({
      path: "test.strategy",
      text: strategy(`outputs:\n  mid: {tap: "${tap}", modality: video}\nloss:\n  ${velocity}\n  b: mean(mid^2)\n`),
    }).diagnostics.map(({ code, help }) => `${code} ${help}`);
  assert.match(codes("block ${scale + 1}")[0] ?? "", "LTX2006 between the braces stands the name of one parameter");
  assert.match(codes("block ${scale}")[0] ?? "", "LTX4024 declare the parameter with `type: integer`");
});

test("metadata take parameters and sizes, in a text as it is written", async () => {
  const text = strategy(
    `  references: [canny]
metadata:
  plain: as \`it\` is \\ $5
  style: "${"${style}"}"
  factor: "${"${latents.height / canny.height}"} of ${"${scale}"}"
  doubled: "${"${double}"}"
  "a key": "${"${video.frames > 1}"}"
let:
  double: scale * 2
loss:
  velocity: mse(video.prediction, video.target) + 0 * mean(dino)
`,
    "  canny: {directory: canny, kind: video_latents}\n",
  );
  const { step } = await run(text, { scale: 2.5, style: "dino" });
  const grid = (height: number) => ({ frames: 3, height, width: 4, steps: 0 });
  const sizes = { latents: grid(8), canny: grid(4), conditions: grid(0), dino: grid(0) };
  assert.equal(step.metadata({ scale: 2.5, style: "ink" }, sizes), {
    plain: "as `it` is \\ $5",
    style: "ink",
    factor: "2 of 2.5",
    doubled: "5",
    "a key": "true",
  });
});

test("a strategy without metadata gives none", async () => {
  const { step } = await run(strategy(`loss:\n  ${velocity}\n  near: 0 * scale * mean(dino)\n`), { scale: 1 });
  assert.equal(step.metadata({}, {}), {});
});

const codesOf = (text: string) => check({ path: "a.strategy", text }).diagnostics.map(({ code }) => code);

test("what the model returns cannot decide what it gets", () => {
  const outputs = "outputs:\n  mid: {tap: block 1, modality: video}\n";
  assert.equal(
    codesOf(
      strategy(`  keep: mean(mid, hidden) > scale * mean(dino)\n${outputs}loss:\n  ${velocity} over video.generated\n`),
    ),
    ["LTX5015"],
  );
});

test("a block is counted from 0, or from the last", () => {
  const tapped = (block: string) => `outputs:\n  mid: {tap: block ${block}, modality: video}\n`;
  const codes = (block: string) =>
    codesOf(strategy(`${tapped(block)}loss:\n  ${velocity}\n  mid: scale * mean(dino) * mean(mid)\n`));
  assert.equal(codes("-1"), []);
  assert.equal(codes("-0"), ["LTX2006"]);
});

test("metadata cannot change from step to step", () => {
  const metadata = 'metadata:\n  level: "${mean(video.sigma) + scale * mean(dino)}"\n  step: "${global_step}"\n';
  assert.equal(codesOf(strategy(`${metadata}loss:\n  ${velocity}\n`)), ["LTX4014", "LTX4014"]);
});

test.run();
