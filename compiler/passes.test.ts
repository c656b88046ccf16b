// Passes: other calls of the model in the step. What they are given, and what is constant, by numbers worked out by hand.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, emitIr } from "./index.ts";
import { B, C, near, run, T, wave } from "../scripts/run-strategy.ts";

const test = suite("passes");
const sources = `strategy: test
sources:
  latents: {directory: latents, kind: video_latents}
  worse: {directory: losers, kind: video_latents, like: latents}
  conditions: {directory: conditions, kind: text_embeddings}
  negative: {directory: negative, kind: text_embeddings}
`;
const strategy = (passes: string, loss: string, video = "", more = ""): string =>
  `${sources}${more}passes:\n${passes}video:\n  latents: latents\n  text: conditions\n${video}loss:\n${loss}`;
const velocity = "  velocity: mse(video.prediction, video.target)\n";

/** Of tokens [B, T, C], made of latents [B, C, T]. */
const tokens = (value: (sample: number, token: number, channel: number) => number): number[] =>
  Array.from({ length: B * T * C }, (_, i) => value(Math.floor(i / (T * C)), Math.floor(i / C) % T, i % C));
const clean = (b: number, t: number, c: number): number => wave((b * C + c) * T + t);
/** What a pass predicts in these tests. */
const predicted = (latent: number): number => 0.25 * latent + 1;

/** Codes of the findings, but for sources that nothing uses. */
const codes = (text: string): string[] =>
  check({ path: "a.strategy", text }).diagnostics.flatMap(({ code }) => (code === "LTX5003" ? [] : [code]));
const ir = (text: string): string => {
  assert.equal(codes(text), []);
  return emitIr({ path: "a.strategy", text }).text ?? "";
};

test("a pass that writes nothing is given what the step's own call is given", async () => {
  const loss = `${velocity}  keep: mse(video.prediction, base.video.prediction)\n`;
  const { values, calls, drawn, step } = await run(strategy("  base: {adapters: false}\n", loss));
  assert.equal(calls, ["base"]);
  for (const field of ["latent", "sigma", "timesteps", "context", "contextMask", "keyframes"])
    assert.equal(values.get(`base.video.${field}`), values.get(`video.${field}`), field);
  assert.equal(drawn.toSorted(), ["video.noise", "video.sigma"]);
  assert.equal(step.strategy.passes, [{ name: "base", weights: "base" }]);
  const latent = values.get("video.latent") ?? [];
  const errors = latent.map((x) => (0.5 - predicted(x)) ** 2);
  near(
    values.get("loss.keep"),
    [0, 1].map((b) => mean(errors.slice(b * T * C, (b + 1) * T * C))),
  );
});

test("a pass may leave out the references that attention tells apart", async () => {
  const text = strategy(
    "  alone: {adapters: false, video: {references: []}}\n",
    `${velocity}  keep: mse(video.prediction, alone.video.prediction)\n`,
    "  references: [worse]\n  attention: from(worse) or not key(from(worse))\n",
  );
  const { values } = await run(text.replace(", like: latents", ""));
  assert.is(values.get("alone.video.latent")?.length, B * T * C);
});

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test("other latents share noise, level and masks; the target is their own", async () => {
  const loss = "  lose: mse(lose.video.prediction, lose.video.target) - mse(video.prediction, video.target)\n";
  const { values, drawn } = await run(strategy("  lose: {video: {latents: worse}}\n", loss));
  const [own, other] = [values.get("video.latent") ?? [], values.get("lose.video.latent") ?? []];
  // x = 0.75 clean + 0.25 noise, and the loser's clean values are twice the winner's.
  near(
    other.map((x, i) => x - (own[i] ?? 0)),
    tokens((b, t, c) => 0.75 * clean(b, t, c)),
  );
  assert.equal(values.get("lose.video.sigma"), values.get("video.sigma"));
  assert.equal(drawn.toSorted(), ["video.noise", "video.sigma"]);
  const target = (values.get("video.target") ?? []).map((x, i) => x - (tokens(clean)[i] ?? 0));
  const errors = target.map((x, i) => (predicted(other[i] ?? 0) - x) ** 2);
  const ownErrors = (values.get("video.target") ?? []).map((x) => (0.5 - x) ** 2);
  const term = (b: number) => {
    const part = (list: readonly number[]) => mean(list.slice(b * T * C, (b + 1) * T * C));
    return part(errors) - part(ownErrors);
  };
  near(values.get("loss.lose"), [term(0), term(1)]);
});

test("an override reaches what follows from it, by way of `let` bindings, too", async () => {
  const more = "let:\n  share: 1 - video.sigma\n";
  const video = "  noisy: share * clean + sigma * noise\n  denoised: noisy - sigma * prediction\n";
  const loss = "  near: mse(video.denoised, later.video.denoised)\n";
  const passes = "  later: {adapters: false, video: {sigma: video.sigma / 2}}\n";
  const { values } = await run(strategy(passes, loss, video, more));
  near(values.get("later.video.sigma"), [0.125, 0.125]);
  near(
    values.get("later.video.timesteps"),
    Array.from({ length: B * T }, () => 0.125),
  );
  const noise = (values.get("video.latent") ?? []).map((x, i) => (x - 0.75 * (tokens(clean)[i] ?? 0)) / 0.25);
  near(
    values.get("later.video.latent"),
    noise.map((x, i) => 0.875 * (tokens(clean)[i] ?? 0) + 0.125 * x),
  );
});

test("a pass reads earlier ones and the step's own call", async () => {
  const passes = `  teacher: {adapters: false}
  near: {video: {sigma: video.sigma - 0.1, noisy: video.noisy - 0.1 * teacher.video.prediction}}
  next: {video: {sigma: video.sigma - 0.1, noisy: video.noisy - 0.1 * video.prediction}}
`;
  const loss = "  a: mse(near.video.prediction, video.target)\n  b: mse(next.video.prediction, video.target)\n";
  const { values, calls } = await run(strategy(passes, loss));
  assert.equal(calls, ["teacher", "near", "next"]);
  const own = values.get("video.latent") ?? [];
  near(
    values.get("near.video.latent"),
    own.map((x) => x - 0.1 * predicted(x)),
  );
  near(
    values.get("next.video.latent"),
    own.map((x) => x - 0.05),
  );
});

test("the step's own call reads passes, too: a rollout of one step", async () => {
  const passes =
    "  first: {adapters: false, video: {sigma: video.sigma + 0.25, noisy: (1 - sigma) * clean + sigma * noise}}\n";
  const video =
    "  noisy: first.video.noisy - 0.25 * first.video.prediction\n  target: (noisy - clean) / sigma\n  denoised: noisy - sigma * prediction\n";
  const { values } = await run(strategy(passes, velocity, video));
  near(
    values.get("video.latent"),
    (values.get("first.video.latent") ?? []).map((x) => x - 0.25 * predicted(x)),
  );
});

test("what a trained call predicts is constant to a later one, unless it says `gradient: through`", () => {
  const pass = (more: string) => `  next: {${more}video: {noisy: video.noisy - 0.1 * video.prediction}}\n`;
  const loss = "  next: mse(next.video.prediction, video.target)\n";
  assert.match(ir(strategy(pass(""), loss)), /next\.video\.noisy: .* = stopGradient\(/);
  assert.not.match(ir(strategy(pass("gradient: through, "), loss)), /stopGradient/);
  // Nothing to stop where no prediction is handed over.
  const half = "  half: {video: {sigma: video.sigma / 2}}\n";
  assert.not.match(ir(strategy(half, `${velocity}${loss.replaceAll("next", "half")}`)), /stopGradient/);
});

test("other texts, and references of its own", async () => {
  const more = "  depth: {directory: depth, kind: video_latents}\n  canny: {directory: canny, kind: video_latents}\n";
  const passes = `  bare: {adapters: false, video: {references: []}}
  other: {adapters: false, video: {text: negative, references: [canny]}}
`;
  const loss = "  a: mse(video.prediction, bare.video.prediction - other.video.prediction)\n";
  const text = strategy(passes, loss, "  references: [depth]\n").replace("  conditions:", `${more}  conditions:`);
  const { values, step } = await run(text);
  const sizes = (name: string) => [values.get(`${name}.latent`)?.length, values.get(`${name}.keyframes`)?.length];
  assert.equal(sizes("video"), [B * 2 * T * C, B * 2 * T]);
  assert.equal(sizes("bare.video"), [B * T * C, B * T]);
  // The reference `canny` has one frame, that is half the tokens.
  assert.equal(sizes("other.video"), [B * 1.5 * T * C, B * 1.5 * T]);
  assert.equal(values.get("other.video.context"), [3, 3]);
  assert.equal(step.strategy.passes?.[1], {
    name: "other",
    weights: "base",
    texts: { video: ["negative"] },
    references: { video: ["canny"] },
  });
});

test("one of several texts is drawn for the pass alone", async () => {
  const passes = "  base: {adapters: false, video: {text: [negative with probability 0.5, conditions]}}\n";
  const { drawn } = await run(strategy(passes, "  a: mse(video.prediction, base.video.prediction)\n"));
  assert.equal(drawn.toSorted(), ["base.video.text[0]", "video.noise", "video.sigma"]);
});

test("what is wrong is said once", () => {
  const base = "  base: {adapters: false}\n";
  assert.equal(codes(strategy(base, `${velocity}  keep: mean(base.prediction)\n`)), ["LTX3004"]);
  assert.equal(codes(strategy(base, `${velocity}  keep: mean(base)\n`)), ["LTX4006"]);
  assert.equal(codes(strategy(base, `${velocity}  keep: mse(base.video.predicton, video.prediction)\n`)), ["LTX3004"]);
  assert.equal(codes(strategy("  base: {adapters: off_}\n", velocity)), ["LTX2004"]);
  assert.equal(codes(strategy("  base: {adapters: ema}\n", velocity)), ["LTX5061"]);
  assert.equal(
    codes(strategy("  base: {adapters: ema}\n", `${velocity}  near: mse(base.video.prediction, video.target)\n`)),
    ["LTX5060"],
  );
  assert.equal(
    codes(strategy("  base: {adapters: ema}\n", "  near: mse(video.prediction, base.video.prediction)\n")),
    [],
  );
  assert.equal(codes(strategy("  base: {adapters: false, video: {keep: first_frame}}\n", velocity)), ["LTX2001"]);
  const round = `  a: {video: {noisy: b.video.prediction}}\n  b: {video: {noisy: a.video.prediction}}\n`;
  assert.equal(codes(strategy(round, "  x: mse(a.video.prediction, b.video.prediction)\n")), ["LTX5001"]);
  assert.equal(codes(strategy("  base: {audio: {text: negative}}\n", velocity)), ["LTX3004"]);
});

test("kept tokens are outside of the losses of passes, too", () => {
  const kept = "  keep: first_frame\n";
  const loss =
    "  own: mse(video.prediction, video.target) over video.generated\n  keep: mse(video.prediction, base.video.prediction)";
  assert.equal(codes(strategy("  base: {adapters: false}\n", `${loss}\n`, kept)), ["LTX5002"]);
  assert.equal(codes(strategy("  base: {adapters: false}\n", `${loss} over video.generated\n`, kept)), []);
});

test("a prediction that only other calls read is read", () => {
  const next = "  next: {video: {noisy: video.noisy - 0.1 * video.prediction}}\n";
  assert.equal(codes(strategy(next, "  a: mse(next.video.prediction, video.target)\n")), []);
  const two = "  one: {video: {text: negative}}\n";
  assert.equal(codes(strategy(two, "  a: mse(one.video.prediction, video.target)\n")), ["LTX5004"]);
});

test.run();
