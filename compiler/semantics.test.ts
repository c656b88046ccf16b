// What strategies mean: compiled, run on small batches, and compared with numbers worked out by hand.
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Batch } from "../runtime/contract.ts";
import { B, batchOf, C, kept, near, run, T, wave } from "../scripts/run-strategy.ts";

const test = suite("semantics");
const head = `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
`;
const video = (keys: string): string => `${head}video:\n  latents: latents\n${keys}`;
const velocity = "loss:\n  velocity: mse(video.prediction, video.target) over video.generated\n";

async function keptTokens(keep: string, params: Record<string, unknown> = {}): Promise<readonly number[]> {
  const { values } = await run(`${video(`  keep: ${keep}\n`)}${velocity}`, params);
  const generated = values.get("video.generated") ?? [];
  return generated.slice(0, T).flatMap((value, i) => (value === 0 ? [i] : []));
}

test("masks of a grid of 2 frames, 2 rows and 3 columns", async () => {
  assert.equal(await keptTokens("first_frame"), [0, 1, 2, 3, 4, 5]);
  assert.equal(await keptTokens("prefix(1)"), [0, 1, 2, 3, 4, 5]);
  assert.equal(await keptTokens("suffix(1)"), [6, 7, 8, 9, 10, 11]);
  // A part of a frame counts as a whole one, at both ends.
  assert.equal(await keptTokens("prefix(frames / 3)"), [0, 1, 2, 3, 4, 5]);
  assert.equal(await keptTokens("suffix(frames / 3)"), [6, 7, 8, 9, 10, 11]);
  assert.equal(await keptTokens("suffix(5)"), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  assert.equal(await keptTokens("frame_index - 2 * floor(frame_index / 2) == 1"), [6, 7, 8, 9, 10, 11]);
  assert.equal(await keptTokens("prefix(5)"), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  assert.equal(await keptTokens("row == 1 and column > 1"), [5, 11]);
  assert.equal(await keptTokens("frame_index == 1 and not (column < 2)"), [8, 11]);
  assert.equal(await keptTokens("if frames > 1 then row == 0 else all"), [0, 1, 2, 6, 7, 8]);
});

test("a crop's edges are pixels, rounded down to cells and clamped", async () => {
  assert.equal(await keptTokens("crop(0, 33, 64, 95)"), [1, 4, 7, 10]);
  assert.equal(await keptTokens("crop(32, 0, 9999, 32)"), [3, 9]);
  assert.equal(await keptTokens("crop(40, 0, 50, 96)"), []);
});

test("a list is a union; kept tokens are clean, with timestep 0 and outside the loss", async () => {
  const { values } = await run(`${video("  keep:\n    - prefix(1)\n    - column == 0\n")}${velocity}`);
  const isKept = Array.from({ length: B * T }, (_, i) => i % T < 6 || i % 3 === 0);
  assert.equal(
    values.get("video.generated"),
    isKept.map((keep) => (keep ? 0 : 1)),
  );
  assert.equal(
    values.get("video.timesteps"),
    isKept.map((keep) => (keep ? 0 : 0.25)),
  );
  const latent = values.get("video.latent") ?? [];
  const target = values.get("video.target") ?? [];
  // tokens are [B, T, C], latents [B, C, T]
  const clean = (b: number, t: number, c: number) => wave((b * C + c) * T + t);
  let [sum, count] = [0, 0];
  for (let t = 0; t < T; t++) {
    for (let c = 0; c < C; c++) {
      const i = t * C + c;
      const [x, v] = [clean(0, t, c), target[i] ?? NaN];
      near([latent[i] ?? NaN], [isKept[t] ? x : 0.75 * x + 0.25 * (v + x)]);
      if (!isKept[t]) [sum, count] = [sum + (0.5 - v) ** 2, count + 1];
    }
  }
  near([values.get("loss.velocity")?.[0] ?? NaN], [sum / count]);
});

test("each entry has its own draw, named by its place", async () => {
  const { drawn } = await run(
    `${video("  keep:\n    - first_frame with probability 0.5\n    - bernoulli(0.5) per frame\n")}${velocity}`,
  );
  assert.equal(drawn.toSorted(), ["video.keep[0]", "video.keep[1]", "video.noise", "video.sigma"]);
  assert.equal(await keptTokens("first_frame with probability 0"), []);
  assert.equal(await keptTokens("first_frame with probability 1"), [0, 1, 2, 3, 4, 5]);
});

test("noise_mask is the opposite of keep", async () => {
  const { values } = await run(`${video("  noise_mask: prefix(1)\n")}${velocity}`);
  assert.equal(
    values.get("video.generated")?.slice(0, T),
    Array.from({ length: T }, (_, t) => (t < 6 ? 1 : 0)),
  );
});

test("noise and default target are rounded to what the latents are stored in", async () => {
  const { values } = await run(`${video("")}${velocity}`, {}, batchOf("bfloat16"));
  for (const value of values.get("video.target") ?? []) {
    const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 1;
    assert.is(bits & 0xffff, 0);
  }
});

test("thresholds are compared in float32", async () => {
  const batch = batchOf();
  const constant = {
    ...batch.sources,
    latents: { ...batchOf().sources["latents"], latents: kept([B, C, 2, 2, 3], () => 0.3) },
  };
  const text = `params:\n  p: {type: number}\n${video("  keep: mean(tokens(latents), channel) > p\n")}${velocity}`;
  const { values } = await run(text, { p: 0.3 }, { size: B, sources: constant } as Batch);
  assert.ok(values.get("video.generated")?.every((value) => value === 1));
});

test("axes of a reference's own grid are named like those of the target's", async () => {
  const keys = "  references: [depth]\n";
  const text = `${video(keys)}loss:\n  v: mean(max(depth, axis=width)) * mse(video.prediction, 0)\n`;
  const depth = "  depth: {directory: depth, kind: video_latents}\n";
  const { values } = await run(text.replace("  conditions:", `${depth}  conditions:`));
  // depth holds 0, 1, 2, … in rows of three; the prediction is 0.5.
  near(values.get("loss.v") ?? [], [12.5 / 4, 36.5 / 4]);
});

test("losses, weights and reductions", async () => {
  const { values } = await run(
    `${video("")}loss:
  mae: mae(video.prediction, 0.25)
  mse: mse(video.prediction, 0.25) over video.row == 1
  huber: huber(video.prediction, delta=0.5, b=2)
  charbonnier: charbonnier(video.prediction, 0.5)
  weighted: mae(video.prediction, float(video.first_frame)) over (1 + 2 * float(video.first_frame))
  cosine: cosine_distance(video.prediction, -video.prediction)
  norm: norm(video.prediction)
  time: mean(video.time + 0 * video.prediction)
  columns: sum(float(video.column == 2) * mean(video.prediction, channel))
  fps: mean(video.prediction) * video.fps
  size: mean(video.prediction) * latents.frames
  snr: snr(video.sigma) * mean(video.prediction)
`.replace("over video.row == 1", "over (video.row == 1)"),
  );
  near(values.get("loss.mae"), [0.25, 0.25]);
  near(values.get("loss.mse"), [0.0625, 0.0625]);
  near(values.get("loss.huber"), [0.5 * (1.5 - 0.25), 0.625]);
  near(values.get("loss.charbonnier"), [1e-3, 1e-3]);
  near(values.get("loss.weighted"), [0.5, 0.5]);
  near(values.get("loss.cosine"), [2, 2]);
  near(values.get("loss.norm"), [Math.sqrt(T * C * 0.25), Math.sqrt(T * C * 0.25)]);
  // The second latent frame begins at pixel frame 1.
  near(values.get("loss.time"), [1 / 24 / 2, 1 / 12 / 2]);
  near(values.get("loss.columns"), [2, 2]);
  near(values.get("loss.fps"), [12, 6]);
  near(values.get("loss.size"), [1, 1]);
  near(values.get("loss.snr"), [4.5, 4.5]);
});

test("`over` takes masks of the grid, and values of the grid take masks of tokens", async () => {
  const { values } = await run(`${video("")}let:
  late: mean(float(grid(video.frame_index == 1)), height, width) > 0.5
loss:
  late: mae(video.prediction, float(video.first_frame)) over late
  first: mae(video.prediction, 2 * float(video.first_frame)) over not late
  grid: mean(video.prediction) * mae(latents, latents + 3) over (video.row == 0)
`);
  near(values.get("loss.late"), [0.5, 0.5]);
  near(values.get("loss.first"), [1.5, 1.5]);
  near(values.get("loss.grid"), [1.5, 1.5]);
});

test("a number has no gradient to stop", async () => {
  const { values } = await run(`${video("")}loss:\n  scaled: stop_gradient(3) * mean(video.prediction)\n`);
  near(values.get("loss.scaled"), [1.5, 1.5]);
});

test("frames per second written as a number count for each sample", async () => {
  const { values } = await run(`${video("  fps: 12\n")}loss:
  time: mean(video.time + 0 * video.prediction)
  fps: video.fps * mean(video.prediction)
`);
  near(values.get("loss.time"), [1 / 12 / 2, 1 / 12 / 2]);
  near(values.get("loss.fps"), [6, 6]);
});

test("no token selected gives a loss of exactly 0", async () => {
  const { values } = await run(`${video("  keep: mean(clean, channel) < 1000\n")}${velocity}`);
  assert.equal(values.get("loss.velocity"), [0, 0]);
});

test("a draw over some axes is the same along the others", async () => {
  const { values } = await run(`${video("  noise: randn() per frame + 0 * clean\n")}${velocity}`);
  const noise = (values.get("video.target") ?? []).map((value, i) => {
    const [b, t, c] = [Math.floor(i / (T * C)), Math.floor(i / C) % T, i % C];
    return value + wave((b * C + c) * T + t);
  });
  for (let i = 0; i < T * C; i++) near([noise[i] ?? NaN], [noise[i < 6 * C ? 0 : 6 * C] ?? NaN]);
  assert.ok(Math.abs((noise[0] ?? 0) - (noise[6 * C] ?? 0)) > 1e-3);
});

test("audio shares the noise level of video, and has masks of its own", async () => {
  const { values, drawn } = await run(
    `${head}  sound: {directory: sound, kind: audio_latents}
  speech: {directory: speech, kind: audio_mask}
video:
  latents: latents
audio:
  latents: sound
  sigma: video.sigma
  keep: speech > 0.5
loss:
  video: mse(video.prediction, video.target)
  audio: mse(audio.prediction, audio.target) over audio.generated
  time: mean(audio.time + 0 * audio.prediction)
`,
  );
  assert.equal(values.get("audio.sigma"), [0.25, 0.25]);
  assert.equal(values.get("audio.timesteps"), [0, 0.25, 0, 0.25, 0, 0.25, 0, 0.25]);
  near(values.get("loss.time"), [(0 + 1 + 5 + 9) / 400, 0.0375]);
  assert.equal(drawn.toSorted(), ["audio.noise", "video.noise", "video.sigma"]);
});

test("a frozen modality is clean, at level 0, and draws nothing", async () => {
  const { values, drawn } = await run(
    `${head}  sound: {directory: sound, kind: audio_latents}
video:
  latents: latents
  generate: false
audio:
  latents: sound
loss:
  audio: mse(audio.prediction, audio.target)
`,
  );
  assert.equal(values.get("video.sigma"), [0, 0]);
  assert.ok(values.get("video.timesteps")?.every((level) => level === 0));
  near(values.get("video.latent")?.slice(0, 2), [wave(0), wave(T)]);
  assert.equal(values.has("video.target"), false);
  assert.equal(drawn.toSorted(), ["audio.noise", "audio.sigma"]);
});

test("a `let` name is one draw, a `let` with arguments draws at each use", async () => {
  const { values, drawn } = await run(
    `${head}let:
  once: uniform(0, 1)
  each(scale): scale * uniform(0, 1)
video:
  latents: latents
loss:
  velocity: mse(video.prediction, video.target)
  same: (once - once) * mean(video.prediction)
  differ: (each(1) - each(1)) * mean(video.prediction)
`,
  );
  assert.equal(values.get("loss.same"), [0, 0]);
  assert.ok(values.get("loss.differ")?.every((value) => value !== 0));
  assert.equal(drawn.toSorted(), ["let.once", "loss.differ", "loss.differ#1", "video.noise", "video.sigma"]);
});

test("a strategy that uses most of the language runs", async () => {
  const text = readFileSync(new URL("4-emit/samples/wide.strategy", import.meta.url), "utf8");
  const { values } = await run(text, { region: [0, 0, 32, 32], on: true, p: 0.5, n: 1 });
  const terms = [...values].filter(([name]) => name.startsWith("loss."));
  assert.is(terms.length, 10);
  for (const [name, numbers] of terms) assert.ok(numbers.every(Number.isFinite), `${name}: ${numbers.join(", ")}`);
});

test.run();
