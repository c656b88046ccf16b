// References that are noised: their tokens and timesteps by numbers worked out by hand, what can be read of them, and what is refused.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { B, C, near, run, T, wave } from "../scripts/run-strategy.ts";
import { check } from "./index.ts";

const test = suite("noised references");

const strategy = (references: string, loss = "  all: mse(video.prediction, video.target)\n"): string => `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  depth: {directory: depth, kind: video_latents}
  canny: {directory: canny, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
  references:
${references}loss:
${loss}`;

/** Of `depth`, which counts from 0 over [B, C, T]. */
const depth = (b: number, t: number, c: number) => (b * C + c) * T + t;

test("tokens are (1 - s) x + s noise, with the timestep s; clean references and the target keep theirs", async () => {
  const references = "    - canny\n    - {source: depth, sigma: 0.25, noise: 4 * clean}\n".replace(
    "4 * clean",
    "4 * tokens(depth)",
  );
  const { values, drawn } = await run(strategy(references));
  // The reference listed last comes first: 12 tokens of depth, 6 of canny, 12 of the target.
  const timesteps = [...Array<number>(12).fill(0.25), ...Array<number>(6).fill(0), ...Array<number>(12).fill(0.25)];
  near(values.get("video.timesteps"), [...timesteps, ...timesteps]);
  const latent = values.get("video.latent") ?? [];
  const at = (b: number, t: number, c: number) => latent[(b * 30 + t) * C + c] ?? NaN;
  for (const [b, t, c] of [
    [0, 0, 0],
    [0, 11, 1],
    [1, 3, 1],
  ] as const)
    near([at(b, t, c)], [0.75 * depth(b, t, c) + 0.25 * 4 * depth(b, t, c)]);
  near([at(0, 12, 0), at(1, 17, 1)], [7, 7]);
  assert.equal(drawn.toSorted(), ["video.noise", "video.sigma"]);
});

test("a level for each frame, and noise that is drawn at the reference's own place", async () => {
  const references = '    - {source: depth, sigma: "uniform(0, 0.5) per frame"}\n';
  const loss =
    "  level: mean(depth.timesteps, token)\n  first: sum(depth.noise, token, channel)\n  both: mean(depth.noisy)\n";
  const { values, drawn } = await run(strategy(references, `${loss}  all: mse(video.prediction, video.target)\n`));
  assert.equal(drawn.toSorted(), [
    "video.noise",
    "video.references[0].noise",
    "video.references[0].sigma",
    "video.sigma",
  ]);
  const timesteps = (values.get("video.timesteps") ?? []).slice(0, T);
  // Two frames of 6 tokens each.
  assert.equal(new Set(timesteps.slice(0, 6)).size, 1);
  assert.is.not(timesteps[0], timesteps[6]);
  near([values.get("loss.level")?.[0] ?? NaN], [((timesteps[0] ?? NaN) + (timesteps[6] ?? NaN)) / 2]);
  const sample = (values.get("video.latent") ?? []).slice(0, T * C);
  near([values.get("loss.both")?.[0] ?? NaN], [sample.reduce((sum, value) => sum + value, 0) / sample.length]);
  assert.ok(values.get("loss.first")?.every((value) => value !== 0));
});

/** With a pass in front of the modalities. */
const withPass = (pass: string, references: string, loss: string): string =>
  strategy(references, loss).replace("video:\n", `passes:\n  ${pass}\nvideo:\n`);
const bothCalls = "  own: mse(video.prediction, video.target)\n  other: mse(other.video.prediction, video.target)\n";
const timestepsOf = (values: ReadonlyMap<string, readonly number[]>, owner: string) =>
  (values.get(`${owner}.timesteps`) ?? []).slice(0, 2 * T);

test("a pass shares the noise and the level of the step's references", async () => {
  const references = '    - {source: depth, sigma: "uniform(0, 0.5)"}\n';
  const loss = "  same: mse(video.prediction, other.video.prediction)\n";
  const { values, drawn } = await run(withPass("other: {adapters: false}", references, loss));
  assert.equal(drawn.toSorted().slice(1, 3), ["video.references[0].noise", "video.references[0].sigma"]);
  assert.is(drawn.length, 4);
  assert.equal(values.get("other.video.latent"), values.get("video.latent"));
  assert.equal(values.get("other.video.timesteps"), values.get("video.timesteps"));
});

test("what a pass gives anew reaches a reference whose level follows from it", async () => {
  const references = "    - {source: depth, sigma: sigma / 2}\n";
  const pass = "other: {video: {sigma: video.sigma * 2}}";
  const { values, drawn } = await run(withPass(pass, references, bothCalls));
  near(timestepsOf(values, "video"), [...Array<number>(T).fill(0.125), ...Array<number>(T).fill(0.25)]);
  near(timestepsOf(values, "other.video"), [...Array<number>(T).fill(0.25), ...Array<number>(T).fill(0.5)]);
  const [own, other] = [values.get("video.latent")?.[0] ?? NaN, values.get("other.video.latent")?.[0] ?? NaN];
  // The first value of depth is 0, so what is left is the noise, of which there is twice as much.
  near([other], [2 * own]);
  assert.equal(drawn.toSorted(), ["video.noise", "video.references[0].noise", "video.sigma"]);
});

test("a pass noises references of its own, also where those of the step are clean", async () => {
  const pass = "other: {video: {references: [{source: depth, sigma: 0.5, noise: 8 * tokens(depth)}]}}";
  const { values } = await run(withPass(pass, "    - depth\n", bothCalls));
  near(timestepsOf(values, "video"), [...Array<number>(T).fill(0), ...Array<number>(T).fill(0.25)]);
  near(timestepsOf(values, "other.video"), [...Array<number>(T).fill(0.5), ...Array<number>(T).fill(0.25)]);
  near([values.get("other.video.latent")?.[C] ?? NaN], [4.5 * depth(0, 1, 0)]);
  const clean = "other: {video: {references: [depth]}}";
  const without = await run(withPass(clean, "    - {source: depth, sigma: 0.5}\n", bothCalls));
  near(timestepsOf(without.values, "other.video"), timestepsOf(values, "video"));
});

test("a level that another call predicts is constant to the call that gets it", async () => {
  const pass = "other: {video: {references: [{source: depth, sigma: sigmoid(mean(video.prediction))}]}}";
  const { values, calls } = await run(withPass(pass, "    - depth\n", bothCalls));
  assert.equal(calls, ["other"]);
  near(timestepsOf(values, "other.video").slice(0, T), Array<number>(T).fill(1 / (1 + Math.exp(-0.5))));
});

test("a mapping without `sigma` is the short form", async () => {
  const short = await run(strategy("    - depth with probability 1\n"));
  const long = await run(strategy("    - {source: depth, probability: 1}\n"));
  assert.equal([...long.values], [...short.values]);
  assert.equal(long.drawn, short.drawn);
  near(
    (short.values.get("video.latent") ?? []).slice(-C),
    Array.from({ length: C }, (_, c) => {
      const clean = wave(((B - 1) * C + c) * T + T - 1);
      return 0.75 * clean + 0.25 * ((short.values.get("video.target")?.at(c - C) ?? NaN) + clean);
    }),
  );
});

test("a reference that takes no part leaves the target alone", async () => {
  const { values } = await run(strategy("    - {source: depth, probability: 0, sigma: 0.5}\n"));
  near(values.get("video.timesteps"), Array<number>(B * T).fill(0.25));
});

const codesOf = (references: string, loss?: string): readonly string[] =>
  check({ path: "test.strategy", text: strategy(references, loss) })
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code }) => code);

test("what is written wrongly is one finding each", () => {
  const all = (value: string) => `  all: ${value} * mse(video.prediction, video.target)\n`;
  assert.equal(codesOf("    - {source: depth, sigma: 1.5}\n"), ["LTX5017"]);
  assert.equal(codesOf("    - {source: depth, sigma: first_frame}\n"), ["LTX4002"]);
  assert.equal(codesOf("    - {source: depth, sigma: float(first_frame)}\n"), ["LTX5095"]);
  assert.equal(codesOf("    - {source: depth, sigma: 0.1, noise: noise}\n"), ["LTX5095"]);
  assert.equal(codesOf("    - {source: depth, noise: randn()}\n"), ["LTX5096"]);
  assert.equal(codesOf("    - {sigma: 0.1}\n"), ["LTX2002"]);
  assert.equal(codesOf("    - {source: depth, level: 0.1}\n"), ["LTX2001"]);
  assert.equal(codesOf("    - {source: latents, sigma: 0.1}\n"), ["LTX5016"]);
  assert.equal(codesOf("    - {source: depth, sigma: sigmoid(mean(prediction))}\n"), ["LTX5015"]);
  assert.equal(codesOf("    - depth\n", all("mean(depth.timesteps)")), ["LTX5094"]);
  assert.equal(codesOf("    - {source: depth, sigma: mean(depth.noisy)}\n"), ["LTX5001"]);
});

test.run();
