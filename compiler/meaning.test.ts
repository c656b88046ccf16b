// Well-typed strategies that train something else than was meant: each mistake is found, and what is near to it but right is not.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check } from "./index.ts";

const test = suite("meaning");

interface Parts {
  readonly lets?: string;
  readonly video?: string;
  readonly audio?: string;
  readonly loss?: string;
  readonly expect?: string;
}

const of = "mse(video.prediction, video.target)";

function codesOf(text: string): readonly string[] {
  // What a sketch does not use says nothing here.
  const found = check({ path: "meant.strategy", text }).diagnostics.filter(({ code }) => code !== "LTX5003");
  return found.map(({ code }) => code);
}

function strategy({ lets, video = "", audio, loss = of, expect }: Parts): string {
  return `strategy: meant
params:
  count: {type: integer, default: 2, minimum: 1}
  p: {type: number, default: 0.5, minimum: 0, maximum: 1}
sources:
  latents: {directory: latents, kind: video_latents}
  ref: {directory: reference_latents, kind: video_latents}
  sound: {directory: sound, kind: audio_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  hole: {directory: hole, kind: video_mask}
  score: {directory: scores, kind: tensor, key: value, axes: []}
${lets === undefined ? "" : `let:\n${indented(lets)}`}video:
  latents: latents
${indented(video)}${audio === undefined ? "" : `audio:\n  latents: sound\n${indented(audio)}`}loss:
  video: ${loss}
${audio === undefined ? "" : "  audio: mse(audio.prediction, audio.target) over audio.generated\n"}${expect === undefined ? "" : `expect:\n  - ${expect}\n`}`;
}

const indented = (lines: string) => (lines === "" ? "" : `  ${lines.replaceAll("\n", "\n  ")}\n`);

const over = `${of} over video.generated`;
const cases: Readonly<Record<string, { readonly bad: readonly Parts[]; readonly good: readonly Parts[] }>> = {
  LTX5097: {
    bad: [
      { video: "keep: first_frame and uniform(0, 1) > 1", loss: over },
      { lets: "drop: uniform(0, p) >= 1", video: "keep: first_frame and drop", loss: over },
      { loss: `(if progress < 0 then 0 else 1) * ${of}` },
      { video: "sigma: uniform(0.2, 0.8)", loss: `(if 2 * video.sigma > 1.7 then 0.5 else 1) * ${of}` },
    ],
    good: [
      { video: "keep: first_frame and uniform(0, 1) > 0.9", loss: over },
      { lets: "drop: uniform(0, p) < 0.1", video: "keep: first_frame and frames > 1 and drop", loss: over },
      { loss: `(if progress < 0.5 then 0.5 else 1) * ${of}` },
      { loss: `(if video.sigma >= 1 then 0.5 else 1) * ${of}` },
      { expect: "video.sigma >= 0 and video.sigma <= 1" },
    ],
  },
  LTX5098: {
    bad: [
      { video: "keep: first_frame and frames > 1 with probability 0", loss: over },
      { video: "keep:\n  - first_frame and frames > 1 with probability 1.0", loss: over },
    ],
    good: [{ video: "keep: first_frame and frames > 1 with probability p", loss: over }],
  },
  LTX5099: {
    bad: [
      { audio: "", loss: `min(snr(audio.sigma), 5) * ${of}` },
      { audio: "", lets: "w: 1 - mean(audio.timesteps)", loss: `w * ${of}` },
    ],
    good: [
      { audio: "", loss: `min(snr(video.sigma), 5) * ${of}` },
      { audio: "sigma: video.sigma", loss: `min(snr(audio.sigma), 5) * ${of}` },
      { audio: "", loss: `(if audio.sigma > video.sigma then 0.5 else 1) * ${of}` },
      {
        lets: "s: video.sampled()",
        video: "sigma: s",
        audio: "sigma: s / 2",
        loss: `min(snr(audio.sigma), 5) * ${of}`,
      },
    ],
  },
  LTX5100: {
    bad: [{ lets: "w: 1 + video.sigma", loss: `w * ${of} / w` }, { loss: `score * 2 * ${of} / score` }],
    good: [{ lets: "w: 1 + video.sigma", loss: `w * ${of} / (w + 1)` }, { loss: `score * ${of} / 2` }],
  },
  LTX5030: {
    bad: [
      { lets: "s(x): x * uniform(0.5, 2)", loss: "mse(s(video.prediction), s(video.target))" },
      { lets: "s(x): x * uniform(0.5, 2)", loss: "mean(square(s(video.prediction) - s(video.target)))" },
      { lets: "u: 2\nd(x): x * randn()\ns(x): d(x) * u", loss: "mae(s(video.prediction), s(video.target))" },
      {
        lets: "coin(q): bernoulli(q)",
        video: "keep: first_frame and coin(0.5)",
        loss: `(if coin(0.5) then 2 else 1) * ${over}`,
      },
      { video: "keep: first_frame and bernoulli(p)", loss: `(if bernoulli(p) then 2 else 1) * ${over}` },
      { video: "keep: first_frame and bernoulli(p)", loss: over, expect: "not bernoulli(p) or video.keep" },
    ],
    good: [
      { lets: "by: uniform(0.5, 2)\ns(x): x * by", loss: "mse(s(video.prediction), s(video.target))" },
      { lets: "o(r): r * blur(randn() per (token:video, channel), r)", video: "noise: (randn() + o(1) + o(2)) / 2" },
      {
        lets: "coin(q): bernoulli(q)",
        video: "keep:\n  - first_frame and coin(0.5)\n  - suffix(1) and coin(0.5)",
        loss: over,
      },
      { lets: "half(x): x / 2", loss: "mse(half(video.prediction), half(video.target))" },
    ],
  },
  LTX5031: {
    bad: [
      { loss: "mse(stop_gradient(video.prediction), video.target)" },
      { loss: `stop_gradient(${of})` },
      { lets: "e: stop_gradient(video.prediction - video.target)", loss: "mean(e^2)" },
      { loss: "mean(float(abs(video.prediction - video.target) > 0.1))" },
      { loss: "mean(floor(abs(video.prediction - video.target)))" },
      { lets: `l: ${of}`, loss: "l / max(l, 1e-6)" },
      { lets: `l: ${of}`, loss: "l / (l + 1e-6)" },
    ],
    good: [
      { lets: `l: ${of}`, loss: "l / stop_gradient(max(l, 1e-6))" },
      { loss: `stop_gradient(mean(abs(video.prediction))) * ${of}` },
      { loss: "mse(video.prediction, stop_gradient(video.denoised))" },
      { loss: `(if mean(video.prediction) > 0 then 2 else 1) * ${of}` },
    ],
  },
  LTX5032: {
    bad: [
      { lets: "eps: randn()", video: "noise: eps" },
      { lets: "eps: randn() per token:video", video: "noise: eps" },
      { video: "noise: randn() per frame" },
      { lets: "eps: randn()", video: "noisy: (1 - sigma) * mean(clean) + sigma * eps" },
    ],
    good: [
      { lets: "eps: randn() per (token:video, channel)", video: "noise: eps" },
      { video: "noise: (randn() + 0.1 * randn() per (frame, channel)) / sqrt(1.01)" },
      { video: "noise: tokens(ref)" },
      { video: "noisy: (1 - sigma) * clean + sigma * noise\ndenoised: noisy - timesteps * prediction" },
    ],
  },
  LTX5033: {
    bad: [
      { video: "noise: uniform(-1, 1) per element" },
      { video: "noise: 2 * uniform(0, 1) per element - 1" },
      { lets: "eps: uniform(-1, 1) per (token:video, channel)", video: "noise: eps" },
    ],
    good: [
      { video: "noise: randn() + 0.1 * uniform(-1, 1) per element" },
      { video: "noise: sqrt(-2 * log(uniform(0.001, 1) per element)) * cos(6.2832 * uniform(0, 1) per element)" },
    ],
  },
  LTX5034: {
    bad: [
      { video: "sigma: 1 - sampled()" },
      { lets: "t: video.sampled()", video: "sigma: 1 - t" },
      { video: "sigma: 1 - sampled() per frame" },
      { video: "sigma: 1.0 - shifted_logit_normal(std=0.8)" },
    ],
    good: [{ video: "sigma: 1 - sqrt(uniform(0, 1))" }, { video: "sigma: 0.9 * sampled()" }],
  },
  LTX5035: {
    bad: [
      { loss: `snr(video.sigma) * ${of}` },
      { lets: "w: 0.5 * snr(video.sigma)", loss: `w * ${of}` },
      { video: "keep: first_frame", loss: `mean(snr(video.timesteps)) * ${over}` },
      { video: "keep: first_frame", loss: `mean(min(snr(video.timesteps), 5)) * ${over}` },
      { video: "keep: first_frame", loss: `mean(1 / video.timesteps) * ${over}` },
    ],
    good: [
      { loss: `min(snr(video.sigma), 5) * ${of}` },
      { loss: `snr(video.sigma) * video.sigma^2 * ${of}` },
      { loss: `snr(video.sigma) / (snr(video.sigma) + 1) * ${of}` },
      { loss: "snr(video.sigma) * mse(video.denoised, video.clean)" },
      { loss: `mean(min(snr(video.timesteps), 5)) * ${of}` },
    ],
  },
  LTX5036: {
    bad: [
      { loss: `${of} over (hole * score)` },
      { lets: "w: score * (1 + hole)", loss: `${of} over w` },
      { loss: `${of} over (hole * snr(video.sigma))` },
    ],
    good: [
      { loss: `score * ${of} over hole` },
      { loss: `${of} over (hole * float(score > 0.5))` },
      { loss: `${of} over (2 * hole)` },
      { loss: `${of} over (1 + score * hole)` },
    ],
  },
  LTX5078: {
    bad: [
      { loss: `${of} over ref` },
      { lets: "w: mean(tokens(ref), channel)", loss: `${of} over w` },
      { loss: `${of} over (hole * mean(tokens(ref), channel))` },
    ],
    good: [
      { loss: `${of} over (mean(tokens(ref), channel) > 0.5)` },
      { loss: `${of} over abs(mean(tokens(ref), channel))` },
      { loss: `${of} over hole` },
    ],
  },
  LTX5037: {
    bad: [
      { loss: "mean(video.prediction - video.target)^2" },
      { lets: "e: video.prediction - video.target", loss: "square(mean(e))" },
      { loss: "abs(mean(video.denoised - video.clean))" },
    ],
    good: [
      { loss: "mean((video.prediction - video.target)^2)" },
      { loss: "mean(mean(video.prediction - video.target, token)^2)" },
      { loss: `${of} + (mean(video.denoised) - mean(video.clean))^2` },
    ],
  },
  LTX5038: {
    bad: [
      { lets: "share: mean(hole, batch)", loss: `${of} over share` },
      { loss: `${of} / max(max(video.sigma, batch), 0.1)` },
      { video: "keep: any(hole > 0.5, batch)", loss: over },
    ],
    good: [{ loss: `mean(hole) * ${of}` }, { expect: "abs(mean(video.noise, batch)) < 10" }],
  },
  LTX5039: {
    bad: [
      { video: "keep: all", loss: over },
      { video: "keep: frame_index >= 0", loss: over },
      { video: "keep: frame_index < progress * frames", loss: over },
      { video: "noise_mask: frame_index >= progress * frames", loss: over },
      { video: "keep: prefix(frames)", loss: over },
      { video: "keep: [first_frame, not first_frame]", loss: over },
    ],
    good: [
      { video: "keep: frame_index < (1 - progress) * frames / 2", loss: over },
      { video: "keep: prefix(count)", loss: over },
      { video: "keep: prefix(100)", loss: over },
      { video: "keep: crop(0, 0, 1024, 1024)", loss: over },
      { video: "keep: all with probability 0.5", loss: over },
      { video: "keep: frame_index < progress * 0.9 * frames", loss: over },
    ],
  },
  LTX5040: {
    bad: [{ video: "keyframes: all" }, { video: "keyframes: frame_index >= 0" }],
    good: [{ video: "keyframes: first_frame" }, { video: "keyframes: frame_index < 2" }],
  },
  LTX5041: {
    bad: [
      { video: "attention: frame_index > key(frame_index)" },
      { video: "attention: key(frame_index) > frame_index" },
      { video: "attention: frame_index > key(frame_index) and (hole > 0.5 or first_frame)" },
      { video: "attention: frame_index - key(frame_index) > 0" },
      { video: "attention: float(frame_index > key(frame_index)) * 0.5" },
    ],
    good: [
      { video: "attention: frame_index >= key(frame_index)" },
      { video: "attention: abs(frame_index - key(frame_index)) <= 1" },
      { video: "attention: frame_index > key(frame_index) or row == key(row)" },
      { video: "attention: frame_index > key(frame_index) or hole > 0.5" },
      { video: "attention: key(frame_index) > 5 or frame_index < 6" },
    ],
  },
  LTX5042: {
    bad: [
      { video: "keep:\n  - not (hole > p)\n  - first_frame with probability 0.5", loss: `${of} over (hole > p)` },
      { lets: "gap: hole > p", video: "keep: not gap or first_frame", loss: `${of} over gap` },
      { video: "keep: first_frame", loss: "mean(abs(video.prediction - video.target))" },
      { video: "keep: first_frame", loss: "mean((video.prediction - video.target)^2, token, channel)" },
      { video: "keep: first_frame", loss: "mean(max(abs(video.prediction - video.target), token), channel)" },
      { video: "keep: hole > p", lets: "error: abs(video.prediction - video.target)", loss: "max(error)" },
      { video: "keep: hole > p", loss: "quantile(abs(video.prediction - video.target), 0.9)" },
    ],
    good: [
      { video: "keep: first_frame", loss: "mean(abs(video.prediction - video.target) * float(video.generated))" },
      { video: "keep: first_frame", loss: "mean(abs(video.denoised - video.clean))" },
      { video: "keep: first_frame", loss: "mean(video.timesteps * abs(video.prediction - video.target))" },
      {
        video: "keep: first_frame",
        loss: `${of} over video.generated / max(stop_gradient(mean(abs(video.prediction))), 1)`,
      },
      { loss: "mean(abs(video.prediction - video.target))" },
      { lets: "gap: hole > p", video: "keep: not gap", loss: `${of} over gap` },
      { lets: "gap: hole > p", video: "keep: not gap or first_frame", loss: `${of} over (gap and video.generated)` },
      { lets: "gap: hole > p", video: "keep: not gap or first_frame", loss: `${of} over gap over video.generated` },
      { video: "keep: prefix(count)", loss: `${of} over (video.frame_index >= count)` },
      { video: "keep: first_frame", loss: `${of} over (hole > p)` },
    ],
  },
  LTX5043: {
    bad: [
      { loss: `${of} - 2 * mse(video.prediction, shift(video.target, batch, 1))` },
      { loss: `-${of}` },
      { loss: `1 - ${of}` },
      { lets: `far: mse(video.prediction, shift(video.target, frame, 1))`, loss: `0.5 * ${of} - far` },
      { loss: `mae(video.prediction, video.target) - ${of}` },
    ],
    good: [
      { loss: `${of} - 0.05 * mse(video.prediction, shift(video.target, batch, 1))` },
      { loss: `${of} - p * mse(video.prediction, shift(video.target, batch, 1))` },
      { loss: `${of} - 3 * mae(video.prediction, shift(video.target, batch, 1))` },
      { loss: `${of} - cosine_distance(video.prediction, shift(video.target, batch, 1))` },
      { loss: `1 - sigmoid(score - ${of})` },
      { loss: `${of} - mse(video.clean, video.noise)` },
    ],
  },
  LTX5044: {
    bad: [
      { video: "target: clean - noise\ndenoised: noisy - timesteps * prediction" },
      { video: "target: clean\ndenoised: noisy - sigma * prediction" },
      { video: "target: noise\ndenoised: noisy - timesteps * prediction" },
      { video: "noisy: sigma * clean + (1 - sigma) * noise\ndenoised: noisy - timesteps * prediction" },
    ],
    good: [
      { video: "target: clean - noise\ndenoised: noisy + timesteps * prediction" },
      { video: "target: clean\ndenoised: prediction" },
      { video: "target: noise\ndenoised: (noisy - timesteps * prediction) / max(1 - timesteps, 1e-3)" },
      { video: "target: noise - clean + 0 * tokens(ref)\ndenoised: noisy - timesteps * prediction" },
      { video: "keep: first_frame\ntarget: noise - clean\ndenoised: noisy - timesteps * prediction", loss: over },
    ],
  },
  LTX5045: {
    bad: [
      { video: "keep: prefix(count)", audio: "keep: prefix(count)", loss: over },
      { video: "keep: suffix(count)", audio: "noise_mask: not suffix(count)", loss: over },
    ],
    good: [
      { video: "keep: prefix(count)", audio: "keep: prefix(8 * count)", loss: over },
      { video: "keep: time < count", audio: "keep: time < count", loss: over },
    ],
  },
  LTX5047: {
    bad: [
      { video: "keep: frame_index == -1", loss: over },
      { video: "keep: frame_index == frames", loss: over },
      { video: "keep: crop(0, 256, 512, 128)", loss: over },
    ],
    good: [
      { video: "keep: frame_index == frames - 1", loss: over },
      { video: "keep: frame_index == 4", loss: over },
      { video: "keep: crop(0, 512, 512, 576)", loss: over },
    ],
  },
};

for (const [code, { bad, good }] of Object.entries(cases)) {
  for (const parts of bad)
    test(`${code} finds ${Object.values(parts).join(" / ")}`, () => assert.equal(codesOf(strategy(parts)), [code]));
  for (const parts of good)
    test(`${code} lets pass ${Object.values(parts).join(" / ")}`, () => assert.equal(codesOf(strategy(parts)), []));
}

const withAllow = (before: string, behind: string) =>
  strategy({ lets: "eps: 1", video: `${before}sigma: 1 - sampled()${behind}` });

test("a comment on the line or right above it allows a warning by its code", () => {
  assert.equal(codesOf(withAllow("", " # allow: LTX5034 as in the paper")), []);
  assert.equal(codesOf(withAllow("# allow: LTX5034 as in the paper\n# and so on\n", "")), []);
  assert.equal(codesOf(withAllow("# allow: LTX5035, LTX5034\n", "")), []);
  assert.equal(codesOf(withAllow("# allow: LTX5035\n", "")), ["LTX5034"]);
  assert.equal(codesOf(withAllow("# allow: LTX5034\nfps: 24\n", "")), ["LTX5034"]);
  assert.equal(codesOf(withAllow("# LTX5034\n", "")), ["LTX5034"]);
});

test("an error cannot be allowed", () => {
  const text = strategy({ video: "keep: all # allow: LTX5039", loss: over });
  assert.equal(codesOf(text), ["LTX5039"]);
});

test("names that use each other twice over, hundreds deep, are looked at within bounds", () => {
  const twice = (begin: string, operator: string) =>
    [`x0: ${begin}`, ...Array.from({ length: 200 }, (_, i) => `x${i + 1}: x${i} ${operator} x${i}`)].join("\n");
  assert.equal(codesOf(strategy({ lets: twice(of, "+"), loss: "x200" })), []);
  assert.equal(
    codesOf(strategy({ lets: twice("video.frame_index + 1", "*"), video: "keep: x200 > 0", loss: over })),
    [],
  );
});

test("LTX5042 quotes what is reduced only where it is written in the reduction", () => {
  const helpOf = (loss: string): string => {
    const text = strategy({ lets: "change(x): x - shift(x, frame, 1)", video: "keep: first_frame", loss });
    return check({ path: "meant.strategy", text }).diagnostics.find(({ code }) => code === "LTX5042")?.help ?? "";
  };
  assert.match(
    helpOf("mean(change(video.prediction))"),
    "`float(video.generated) *` in front of what `mean(…)` is given",
  );
  assert.match(
    helpOf("max(video.prediction + 1)"),
    "`(video.prediction + 1) * float(video.generated)` inside `max(…)`",
  );
});

test.run();
