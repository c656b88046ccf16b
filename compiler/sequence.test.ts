// References, attention, noise levels for each frame, neighbours: what they mean, against numbers worked out by hand.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { B, C, near, run, steps, T, wave } from "../scripts/run-strategy.ts";

const test = suite("references and target");

const head = `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
`;
const references = `  depth: {directory: depth, kind: video_latents}
  canny: {directory: canny, kind: video_latents}
`;
const velocity = "loss:\n  velocity: mse(video.prediction, video.target) over video.generated\n";
const video = (keys: string, sources = ""): string => `${head}${sources}video:\n  latents: latents\n${keys}`;
const row = (values: readonly number[] | undefined, length: number, i = 0) =>
  values?.slice(i * length, (i + 1) * length);

/** Tokens of `canny`: one frame of 2 x 3 cells. */
const R = 6;

test("references stand in front, clean, at timestep 0; the last one listed comes first", async () => {
  const { values } = await run(`${video("  references: [depth, canny]\n", references)}${velocity}`);
  const length = R + T + T;
  const latent = row(values.get("video.latent"), length * C) ?? [];
  assert.ok(latent.slice(0, R * C).every((value) => value === 7));
  // depth holds its own index, [C, T] turned to [T, C]
  assert.equal(latent.slice(R * C, (R + 2) * C), [0, T, 1, T + 1]);
  const timesteps = row(values.get("video.timesteps"), length) ?? [];
  assert.ok(timesteps.slice(0, R + T).every((level) => level === 0));
  assert.ok(timesteps.slice(R + T).every((level) => level === 0.25));
  assert.is(values.get("video.generated")?.length, B * T);
});

test("a loss sees the target's tokens alone", async () => {
  const { values } = await run(
    `${video("  references: [canny]\n", references.split("\n")[1] + "\n")}${velocity}  level: mean(video.prediction)\n`,
  );
  near(values.get("loss.level"), [0.5, 0.5]);
});

test("a reference takes part with its probability, for the whole batch", async () => {
  const text = (p: string) =>
    `${video(`  references:\n    - canny with probability ${p}\n`, references.split("\n")[1] + "\n")}${velocity}`;
  assert.is((await run(text("0"))).values.get("video.timesteps")?.length, B * T);
  const taken = await run(text("1"));
  assert.is(taken.values.get("video.timesteps")?.length, B * (T + R));
  assert.ok(taken.drawn.includes("video.references[0]"));
  const always = await run(`${video("  references: [canny]\n", references.split("\n")[1] + "\n")}${velocity}`);
  assert.not(always.drawn.includes("video.references[0]"));
});

test("a frozen modality may have references", async () => {
  const { values } = await run(`${head}  sound: {directory: sound, kind: audio_latents}
  voice: {directory: voice, kind: audio_latents}
video:
  latents: latents
audio:
  latents: sound
  generate: false
  references: [voice]
${velocity}`);
  assert.is(values.get("audio.timesteps")?.length, B * (2 + steps));
  assert.equal(row(values.get("audio.latent"), 4), [8, 8, 8, 8]);
});

test("the first latent frame of target and references is a keyframe, unless the strategy says otherwise", async () => {
  const one = await run(`${video("  references: [canny]\n", references.split("\n")[1] + "\n")}${velocity}`);
  assert.equal(
    row(one.values.get("video.keyframes"), R + T),
    Array.from({ length: R + T }, (_, i) => (i < R + 6 ? 1 : 0)),
  );
  const none = await run(`${video("  keyframes: false\n")}${velocity}`);
  assert.ok(none.values.get("video.keyframes")?.every((mark) => mark === 0));
});

test("attention: coordinates are each token's own, `key` is the other side", async () => {
  const { values } = await run(`${video("  attention: frame_index >= key(frame_index)\n")}${velocity}`);
  const mask = row(values.get("video.attention"), T * T) ?? [];
  for (let query = 0; query < T; query++) {
    for (let key = 0; key < T; key++) {
      assert.is(mask[query * T + key], Math.floor(query / 6) >= Math.floor(key / 6) ? 1 : 0);
    }
  }
});

test("attention: a reference is hidden from a hole in the target; values over the target are false on references", async () => {
  const sources = `${references.split("\n")[1]}\n  hole: {directory: hole, kind: video_mask}\n`;
  const text = `${video("  references: [canny]\n  attention: not (key(from(canny)) and hole > 0.5)\n", sources)}${velocity}`;
  const mask = row((await run(text)).values.get("video.attention"), (R + T) ** 2) ?? [];
  for (let query = 0; query < R + T; query++) {
    const isHole = query >= R && (query - R) % 2 === 0;
    for (let key = 0; key < R + T; key++) {
      assert.is(mask[query * (R + T) + key], isHole && key < R ? 0 : 1, `${query} to ${key}`);
    }
  }
});

test("attention may be weights", async () => {
  const { values } = await run(`${video("  attention: if row == key(row) then 1 else 0.5\n")}${velocity}`);
  assert.equal(row(values.get("video.attention"), 4), [1, 1, 1, 0.5]);
});

test("each frame has its own noise level, and the sample's is their mean", async () => {
  const { values } = await run(
    `${video("  sigma: 0.2 + 0.4 * frame_index\n")}${velocity}`.replace("frame_index", "float(frame_index > 0)"),
  );
  near(
    row(values.get("video.timesteps"), T),
    Array.from({ length: T }, (_, t) => (t < 6 ? 0.2 : 0.6)),
  );
  near(values.get("video.sigma"), [0.4, 0.4]);
  const drawn = await run(`${video("  sigma: sampled() per frame\n  keep: first_frame\n")}${velocity}`);
  assert.equal(
    row(drawn.values.get("video.timesteps"), T),
    Array.from({ length: T }, (_, t) => (t < 6 ? 0 : 0.25)),
  );
});

test("a sampler of the strategy's own", async () => {
  const { values, drawn } = await run(
    `${video("  sigma: shifted_logit_normal(std=0.5, uniform_prob=0) per token\n")}${velocity}`,
  );
  const levels = values.get("video.timesteps") ?? [];
  assert.ok(new Set(levels).size > T / 2);
  assert.ok(levels.every((level) => level >= 0 && level <= 1));
  assert.ok(drawn.includes("video.sigma.normal"));
});

test("curricula: steps and progress change from step to step", async () => {
  const { values } = await run(`${video("")}loss:
  step: global_step * mean(video.prediction)
  late: (if progress > 0.2 then 1 else 0) * mean(video.prediction)
  early: float(progress < 0.2) * mean(video.prediction)
  velocity: progress * mse(video.prediction, video.prediction + 2)
`);
  near(values.get("loss.step"), [1.5, 1.5]);
  near(values.get("loss.late"), [0.5, 0.5]);
  near(values.get("loss.early"), [0, 0]);
  near(values.get("loss.velocity"), [1, 1]);
});

const probe = (expression: string) =>
  `${video("")}loss:\n  velocity: mse(video.prediction, video.target)\n  value: sum(${expression}) + 0 * mean(video.prediction)\n`;
const valueOf = async (expression: string) => (await run(probe(expression))).values.get("loss.value");

test("shift repeats the edge and goes both ways", async () => {
  near(await valueOf("shift(video.column, width, 1) * float(video.row == 0 and video.first_frame)"), [0 + 0 + 1, 1]);
  near(await valueOf("shift(video.column, width, -1) * float(video.row == 0 and video.first_frame)"), [1 + 2 + 2, 5]);
  near(await valueOf("float(shift(video.frame_index, frame, 1) == 1)"), [0, 0]);
  near(await valueOf("shift(video.column, width, 9) * float(video.row == 0 and video.first_frame)"), [0, 0]);
});

test("blur keeps the mean of a constant and spreads a point by the Gaussian", async () => {
  near(await valueOf("blur(0 * video.row + 1, 1.5)"), [T, T]);
  const near1 = Math.exp(-1 / 2);
  const near2 = Math.exp(-4 / 2);
  // A column of ones at column 0: each row's cells get the share of column 0 among their neighbours.
  const shares = [1 / (1 + near1 + near2), near1 / (1 + 2 * near1), near2 / (1 + near1 + near2)];
  const total = shares.reduce((a, b) => a + b, 0) * 4;
  near(await valueOf("blur(float(video.column == 0), 1)"), [total, total]);
  near(await valueOf("blur(float(video.column == 0), 0)"), [4, 4]);
});

test("dilate grows a mask by cells, in height and width only", async () => {
  const count = (n: number) =>
    valueOf(`float(dilate(video.first_frame and video.row == 0 and video.column == 0, ${n}))`);
  near(await count(0), [1, 1]);
  near(await count(1), [4, 4]);
  near(await count(2), [6, 6]);
  near(await valueOf("dilate(video.column * float(video.first_frame), 1)"), [10, 10]);
});

test("latents of a reference have tokens of their own, which meet the target's only when reduced", async () => {
  const { values } = await run(
    `${video("  references: [canny]\n", references.split("\n")[1] + "\n")}loss:\n  velocity: mean(tokens(canny)) * mse(video.prediction, video.prediction + 1)\n`,
  );
  near(values.get("loss.velocity"), [7, 7]);
  assert.ok(wave(0) !== 7);
});

test.run();
