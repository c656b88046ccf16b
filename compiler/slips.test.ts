// What people write who know Python, PyTorch or another trainer: the fix, where there is one, is the same in this language.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fixAll } from "./diagnostics/index.ts";
import { check } from "./index.ts";

const test = suite("slips");

interface Parts {
  readonly keep?: string;
  readonly value?: string;
  readonly loss?: string;
  readonly sigma?: string;
}

/** A strategy in which one place has the slip. */
function strategy({ keep = "first_frame", value = "1", loss, sigma = "sampled()" }: Parts): string {
  return `strategy: slip
params:
  p: {type: number, default: 0.5}
sources:
  latents: {directory: latents, kind: video_latents}
  hole: {directory: hole, kind: video_mask}
  conditions: {directory: conditions, kind: text_embeddings}
let:
  inpaint: hole > p
  value: ${value}
video:
  latents: latents
  sigma: ${sigma}
  keep: ${keep}
loss:
  video: ${loss ?? "value * mse(video.prediction, video.target) over (video.generated and inpaint)"}
`;
}

const errorsOf = (text: string) =>
  check({ path: "slip.strategy", text }).diagnostics.filter(({ severity }) => severity === "error");

const of = "mse(video.prediction, video.target)";

/** The slip, and what `--fix` makes of it. */
const certain: readonly (readonly [Parts, Parts])[] = [
  [{ keep: "!inpaint" }, { keep: "not inpaint" }],
  [{ keep: '"!inpaint"' }, { keep: '"not inpaint"' }],
  [{ keep: "~inpaint" }, { keep: "not inpaint" }],
  [{ keep: "inpaint == false" }, { keep: "not inpaint" }],
  [{ keep: "inpaint == 1" }, { keep: "inpaint" }],
  [{ keep: "inpaint > 0.5 and first_frame" }, { keep: "inpaint and first_frame" }],
  [{ keep: "0.5 > inpaint" }, { keep: "not inpaint" }],
  [{ keep: "1 - inpaint" }, { keep: "not inpaint" }],
  [{ keep: "inpaint * first_frame" }, { keep: "inpaint and first_frame" }],
  [{ keep: "inpaint + first_frame" }, { keep: "inpaint or first_frame" }],
  [{ keep: "first_frame - inpaint" }, { keep: "first_frame and not inpaint" }],
  [{ keep: "first_frame if bernoulli(0.1)" }, { keep: "first_frame with probability 0.1" }],
  [{ keep: "first_frame with probability 10%" }, { keep: "first_frame with probability 0.1" }],
  [{ keep: "frame_index % 4 == 0" }, { keep: "mod(frame_index, 4) == 0" }],
  [{ keep: "frame_index // 4 == 0" }, { keep: "floor(frame_index / 4) == 0" }],
  [{ value: "mean(1 - inpaint)" }, { value: "mean(1 - float(inpaint))" }],
  [{ value: "max(video.sigma, 1e-3f)" }, { value: "max(video.sigma, 1e-3)" }],
  [{ value: "24fps" }, { value: "24" }],
  [{ value: "1 if p > 0.2 else 2" }, { value: "if p > 0.2 then 1 else 2" }],
  [{ value: "clip(p, 0, 1)" }, { value: "clamp(p, 0, 1)" }],
  [{ value: "torch.mean(hole)" }, { value: "mean(hole)" }],
  [{ value: "hole.mean()" }, { value: "mean(hole)" }],
  [{ value: "np.maximum(p, 1)" }, { value: "max(p, 1)" }],
  [{ sigma: "logit_normal(0, 1)" }, { sigma: "sigmoid(0 + 1 * randn())" }],
  [
    { loss: `${of} over (1 - inpaint) over video.generated` },
    { loss: `${of} over (not inpaint) over video.generated` },
  ],
  [{ loss: "F.mse_loss(video.prediction, video.target) over video.generated" }, { loss: `${of} over video.generated` }],
  [{ loss: "MSELoss(video.prediction, video.target) over video.generated" }, { loss: `${of} over video.generated` }],
  [
    { loss: "l1(video.prediction, video.target) over video.generated" },
    { loss: "mae(video.prediction, video.target) over video.generated" },
  ],
  [
    { loss: "smooth_l1(video.prediction, video.target) over video.generated" },
    { loss: "huber(video.prediction, video.target, 1) over video.generated" },
  ],
  [
    { loss: "mse(video.prediction, video.target.detach()) over video.generated" },
    { loss: "mse(video.prediction, stop_gradient(video.target)) over video.generated" },
  ],
  [{ loss: "mean((video.prediction - video.target)^2) over video.generated" }, { loss: `${of} over video.generated` }],
  [{ value: '"(p > 0.2 ? 1 : 2)"' }, { value: '"(if p > 0.2 then 1 else 2)"' }],
  [{ value: '"p > 0.2 ? max(p, 1) : 2"' }, { value: '"if p > 0.2 then max(p, 1) else 2"' }],
  [{ value: "${p} * 2" }, { value: "p * 2" }],
  [{ value: "2 * {{ p }}" }, { value: "2 * p" }],
  [{ value: "2 * params.p" }, { value: "2 * p" }],
  [{ value: "mean(sources.hole)" }, { value: "mean(hole)" }],
  [{ value: "sin(math.pi * p)" }, { value: "sin(3.14159265 * p)" }],
  [{ value: "p // the share" }, { value: "p" }],
  [{ value: "p /* the share */" }, { value: "p" }],
  [{ keep: "torch.gt(hole, p)" }, { keep: "(hole > p)" }],
  [{ keep: "torch.logical_or(inpaint, first_frame)" }, { keep: "(inpaint or first_frame)" }],
  [
    { keep: "if (frames > 1) { first_frame } else { inpaint }" },
    { keep: "if frames > 1 then first_frame else inpaint" },
  ],
  [
    { loss: "nn.MSELoss()(video.prediction, video.target) over video.generated" },
    { loss: `${of} over video.generated` },
  ],
  [{ keep: "inpaint = False" }, { keep: "not inpaint" }],
  [{ keep: "inpaint is not true" }, { keep: "not inpaint" }],
  [{ keep: "inpaint is True" }, { keep: "inpaint" }],
  [{ keep: "hole * p => p" }, { keep: "hole * p >= p" }],
  [{ loss: `${of}.mean() over video.generated` }, { loss: `${of} over video.generated` }],
  [
    { loss: `${of} over video.generated if progress > 0.5` },
    { loss: `if progress > 0.5 then ${of} over video.generated else 0` },
  ],
  [{ keep: "rand() < 0.1 and first_frame" }, { keep: "bernoulli(0.1) and first_frame" }],
  [{ keep: "first_frame and random.random() > 0.1" }, { keep: "first_frame and (not bernoulli(0.1))" }],
  [
    { loss: 'F.mse_loss(video.prediction, video.target, reduction="none") over video.generated' },
    { loss: `${of} over video.generated` },
  ],
  [
    { loss: 'nn.L1Loss(reduction="none")(video.prediction, video.target) over video.generated' },
    { loss: "mae(video.prediction, video.target) over video.generated" },
  ],
  [{ value: "mean(hole, (token))" }, { value: "mean(hole, token)" }],
  [{ value: "mean(hole, dim=[token])" }, { value: "mean(hole, token)" }],
  [{ value: "1 / stop(mean(hole))" }, { value: "1 / stop_gradient(mean(hole))" }],
  [{ value: "torch.log10(1 + p)" }, { value: "(log(1 + p) / 2.30258509)" }],
  [{ loss: `mean(${of}) over video.generated` }, { loss: `${of} over video.generated` }],
  [{ loss: `${of} over inpaint and video.generated` }, { loss: `${of} over (inpaint and video.generated)` }],
];

for (const [slip, corrected] of certain)
  test(`corrects ${Object.values(slip).join()}`, async () => {
    const text = strategy(slip);
    assert.is(errorsOf(text).length, 1, "one finding for one mistake");
    const fixed = await fixAll(text, errorsOf);
    assert.is(fixed.text, strategy(corrected));
    assert.equal(errorsOf(fixed.text), []);
  });

/** Slips that may mean several things: what the help names, and no fix. */
const uncertain: readonly (readonly [Parts, string])[] = [
  [{ loss: `hole * ${of}` }, "over hole"],
  [{ loss: `${of} * inpaint` }, "over inpaint"],
  [{ loss: "(video.prediction - video.target)^2" }, of],
  [{ keep: "video[0:2]" }, "`prefix(2lf)`"],
  [{ keep: "video[-2:]" }, "`suffix(2lf)`"],
  [{ keep: "first_frames(2)" }, "`prefix(2lf)`"],
  [{ keep: "first frame" }, "first_frame"],
  [{ keep: "frame_index is 0" }, "=="],
  [{ keep: "not hole" }, "hole > 0.5"],
  [{ keep: "not latents" }, "`mean(tokens(latents), axis=channel) > 0.5`"],
  [{ keep: "NOT inpaint" }, "small letters: `not`"],
  [{ keep: "inpaint AND first_frame" }, "small letters: `and`"],
  [{ keep: "0 <= frame_index < 3" }, "`0 <= frame_index and frame_index < 3`"],
  [{ keep: "frame_index between 0 and 3" }, "`a <= x and x <= b`"],
  [{ keep: "first 3 frames" }, "`prefix(3lf)`"],
  [{ keep: "last 2 frames" }, "`suffix(2lf)`"],
  [{ keep: "first_frame probability 0.5" }, "`with probability 0.5`"],
  [{ sigma: "0..1" }, "`uniform(0, 1)`"],
  [{ sigma: "uniform(0, 1000)" }, "1 is pure noise"],
  [{ sigma: "uniform(-1, 1) per frame" }, "1 is pure noise"],
  [{ sigma: "beta(2, 2)" }, "`sigmoid(randn())`"],
  [{ value: "p²" }, "`^2`"],
  [{ value: "|p - 1|" }, "`abs(p - 1)`"],
  [{ value: "24 Hz" }, "no unit"],
  [{ keep: "prefix(2 frames)" }, "`2lf` for latent frames, `2f` for pixel frames"],
  [{ keep: "time < 2 seconds" }, "write `2s`"],
  [{ loss: "huber(video.prediction, video.target) over video.generated" }, "huber(a, b, delta)"],
  [{ loss: "mse(video.prediction) over video.generated" }, "`mse(video.prediction, video.target)`"],
  [{ keep: "inpaint != first_frame" }, "(inpaint and not first_frame) or (first_frame and not inpaint)"],
  [{ keep: "time < 1sec" }, "write `1s`"],
  [{ keep: "prefix(500ms)" }, "write `0.5s`"],
  [{ keep: "prefix(2frames)" }, "`2lf` for latent frames, `2f` for pixel frames"],
  [{ keep: "i2v" }, "keep: first_frame"],
  [{ value: '"lambda x: x / 2"' }, "half(x): x / 2"],
  [{ value: "median(hole)" }, "`mean(hole)`"],
  [{ loss: "mse(model_pred, video.target)" }, "video.prediction"],
  [{ loss: "mse(video.prediction, video.latents)" }, "video.clean"],
  [{ value: "p > 0.2 ? 1 : 2" }, "`if p > 0.2 then 1 else 2`"],
  [{ value: "lambda x: x / 2" }, "`value(x): x / 2`"],
  [{ loss: 'mse(video.prediction, video.target, reduction="none") over video.generated' }, "leave it out"],
  [{ loss: `${of} for inpaint` }, "`mse(a, b) over m`"],
  [{ loss: `0,5 * ${of}` }, "`0.5`"],
  [{ value: "mean(hole, dim=1)" }, "`mean(x, channel)`"],
  [{ value: "mean(hole[..., 0])" }, "write `hole` alone"],
  [{ value: "mean(hole[inpaint])" }, "over inpaint"],
  [{ value: "epoch / 10" }, "`progress`"],
  [{ loss: "loss(video.prediction, video.target)" }, "`mse(a, b)`"],
  [{ loss: "lpips(video.denoised, video.clean)" }, "`imports`"],
  [{ loss: "video.mse(prediction, target)" }, "belongs to no modality"],
  [{ keep: "first_frame with p 0.5" }, "first_frame with probability 0.5"],
  [{ keep: "{mask: first_frame, probability: 0.5}" }, "`first_frame with probability 0.5`"],
  [{ sigma: "[0.2, 0.8]" }, "`uniform(0.2, 0.8)`"],
  [{ loss: "mse(video.prediction, video.target, mask=inpaint)" }, "`mse(a, b) over inpaint`"],
  [{ value: "mean(tokens(hole, channel))" }, "`mean(tokens(hole), axis=channel)`"],
  [{ keep: "first_frame with probability p%" }, "leave `%` out"],
  [{ keep: "first_frame\n  keep: inpaint" }, "are a list"],
  [{ value: "x => x / 2" }, "`name(x): x / 2`"],
  [{ keep: "first_frame @ 0.5" }, "`first_frame with probability 0.5`"],
  [{ value: "mean(video.velocity)" }, "`video.target`"],
  [{ value: "mean(resize(hole, 2))" }, "write `hole` alone"],
  [{ value: "mean(F.interpolate(hole, scale_factor=2))" }, "write `hole` alone"],
  [{ value: "mean(sort(hole))" }, "write `hole` alone"],
  [{ loss: "mse(video.prediction[inpaint], video.target[inpaint])" }, "leave `[inpaint]` out"],
  [{ loss: `${of} over video.generated\n  weight: 0.5` }, `\`video: 0.5 * ${of} over video.generated\``],
  [{ loss: `${of} over video.generated\n  video_weight: p` }, `\`video: p * ${of} over video.generated\``],
];

for (const [slip, help] of uncertain)
  test(`says what to do with ${Object.values(slip).join()}`, () => {
    const [found, ...more] = errorsOf(strategy(slip));
    assert.equal(more, []);
    assert.ok(found?.help?.includes(help), found?.help);
    assert.is(found?.fix, undefined);
  });

for (const written of ["$folder", "{folder}", "%folder%", "$(folder)", "data/$folder"])
  test(`a path with ${written} is told how parameters stand in it`, () => {
    const text = strategy({}).replace("{directory: hole,", `{directory: "${written}",`);
    const declared = text.replace("params:", "params:\n  folder: {type: string, default: hole}");
    const [found, ...more] = errorsOf(declared);
    assert.equal(more, []);
    assert.match(found?.help ?? "", 'directory: "${folder}"');
  });

test("a dropout of captions is led to the list of texts", () => {
  const [found, ...more] = errorsOf(strategy({}).replace("  keep:", "  caption_dropout: 0.1\n  keep:"));
  assert.equal(more, []);
  assert.match(found?.help ?? "", "text: [empty with probability 0.1, conditions]");
});

test("what is written for texts elsewhere is led to `text`", () => {
  const dropout = errorsOf(`${strategy({})}caption_dropout: 0.1\n`);
  assert.equal(dropout.length, 1);
  assert.match(dropout[0]?.help ?? "", "under `video:` there can be several texts");
  for (const key of ["caption", "captions", "prompts"])
    assert.match(
      errorsOf(strategy({}).replace("  keep:", `  ${key}: conditions\n  keep:`))[0]?.help ?? "",
      "in `text:`",
      key,
    );
  const dropped = errorsOf(strategy({ value: "where(bernoulli(0.1), 0, conditions)" }));
  assert.match(dropped[0]?.help ?? "", "text: [empty with probability 0.1, conditions]");
});

const inPlaceOf: readonly (readonly [string, string, string])[] = [
  ["  keep: first_frame", "  keep:first_frame", "`keep: first_frame`"],
  ["let:\n", "let:\n  // the hole\n", "a comment begins with `#`"],
  ["let:\n", "let:\n  half := 2\n", "`half: 2`"],
  ["  sigma: sampled()", "  timestep: sampled()", "`sigma:`"],
  ["  sigma: sampled()", "  resolution: 512", "those of the preprocessed data"],
  ["  sigma: sampled()", "  lr: 1e-4", "`train.yaml`"],
  ["  sigma: sampled()", "  prediction_type: v", "`target:`"],
  ["  sigma: sampled()", "  fps: 0", "a number such as 24"],
  ["  sigma: sampled()", "  fps: -24", "a number such as 24"],
  ["\nloss:\n", "\nlosses:\n", "`loss:`"],
  ["kind: video_mask", "kind: image", "`video_latents`"],
];
for (const [right, slip, help] of inPlaceOf)
  test(`leads from ${slip.trim()} to ${help}, in one finding`, () => {
    const text = strategy({});
    assert.ok(text.includes(right));
    const [found, ...more] = errorsOf(text.replace(right, () => slip));
    assert.equal(more, []);
    assert.ok(found?.help?.includes(help), found?.help);
  });

test("a prediction that is compared with the clean latents is told what the file says of it", () => {
  const warningsOf = (loss: string, more = "") =>
    check({
      path: "slip.strategy",
      text: strategy({ loss: `${loss} over (video.generated and inpaint)` }).replace("  keep:", `${more}  keep:`),
    }).diagnostics.flatMap(({ code }) => (code === "LTX5021" ? [code] : []));
  assert.equal(warningsOf("mse(video.prediction, latents)"), ["LTX5021"]);
  assert.equal(warningsOf("mse(video.prediction, tokens(latents))"), ["LTX5021"]);
  assert.equal(warningsOf("mse(video.prediction, latents)", "  target: clean\n"), []);
  assert.equal(warningsOf("mse(video.denoised, latents)"), []);
});

test("a mask that lost its tokens is led to a mean over the channels", () => {
  const [found, ...more] = errorsOf(strategy({ loss: `${of} over (mean(latents) > 0.5)` }));
  assert.equal(more, []);
  assert.is(found?.code, "LTX4010");
  assert.match(found?.help ?? "", "mean(tokens(masks), axis=channel)");
});

test("a decimal comma in braces is said to be that", () => {
  const [found, ...more] = errorsOf(strategy({}).replace("default: 0.5", "default: 0,5"));
  assert.equal(more, []);
  assert.match(found?.help ?? "", "decimals are written with a point");
});

for (const [type, quoted, plain] of [
  ["number", '"0.5"', "0.5"],
  ["number", "50%", "0.5"],
  ["integer", '"2"', "2"],
  ["boolean", '"true"', "true"],
] as const)
  test(`corrects the default ${quoted}`, async () => {
    const text = (value: string) =>
      strategy({}).replace(
        "p: {type: number, default: 0.5}",
        `p: {type: number, default: 0.5}\n  q: {type: ${type}, default: ${value}}`,
      );
    assert.is(errorsOf(text(quoted)).length, 1);
    assert.is((await fixAll(text(quoted), errorsOf)).text, text(plain));
  });

for (const [slip, meant] of [
  ["video.sigma.clamp(min=0.1)", "max(video.sigma, 0.1)"],
  ["video.sigma.clip(max=0.9)", "min(video.sigma, 0.9)"],
  ["video.sigma.clamp(0.1, 0.9)", "clamp(video.sigma, 0.1, 0.9)"],
  ["video.sigma.min(0.5)", "min(video.sigma, 0.5)"],
  ["video.sigma.max(5)", "max(video.sigma, 5)"],
] as const)
  test(`corrects ${slip}`, async () => {
    const [found, ...more] = errorsOf(strategy({ value: slip }));
    assert.equal(more, []);
    assert.is(found?.help, `write \`${meant}\``);
    assert.is((await fixAll(strategy({ value: slip }), errorsOf)).text, strategy({ value: meant }));
    assert.equal(errorsOf(strategy({ value: meant })), []);
  });

test("max of three values is led to two calls", () => {
  const [found, ...more] = errorsOf(strategy({ value: "max(1, video.sigma, p)" }));
  assert.equal(more, []);
  assert.is(found?.help, "write `max(1, max(video.sigma, p))`");
  assert.equal(errorsOf(strategy({ value: "max(1, max(video.sigma, p))" })), []);
});

test("`not in` is one finding, which says how to compare", () => {
  const [found, ...more] = errorsOf(strategy({ keep: "frame_index not in [0]" }));
  assert.equal(more, []);
  assert.match(found?.help ?? "", "in place of `not in [0, 1]` write `x != 0 and x != 1`");
});

test.run();
