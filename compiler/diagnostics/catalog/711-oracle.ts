import type { Entry } from "./entry.ts";

const sources =
  "sources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\n";
const strategy = (video: string, term: string, more = ""): string =>
  `strategy: example\n${sources}${more}video:\n  latents: latents\n${video}loss:\n  velocity: ${term}\n`;
const velocity = "mse(video.prediction, video.target)";
const kept = `${velocity} over video.generated`;
const hole = "  hole: {directory: hole_masks, kind: video_mask}\n";
const depth = "  depth: {directory: depth_latents, kind: video_latents}\n";
const withSound = (weight: string): string =>
  `strategy: example\n${sources}  sound: {directory: audio_latents, kind: audio_latents}\nvideo:\n  latents: latents\naudio:\n  latents: sound\nloss:\n  video: ${velocity}\n  audio: ${weight}mse(audio.prediction, audio.target)\n`;

const worse = "  worse: {directory: losers, kind: video_latents, like: latents}\n";
const lose = "  lose: {video: {latents: worse}}\n";
const withPasses = (
  passes: string,
  term: string,
  more = "  empty: {file: empty.pt, kind: text_embeddings}\n",
): string =>
  `strategy: example\n${sources}${more}passes:\n${passes}video:\n  latents: latents\n  text: conditions\nloss:\n  term: ${term}\n`;
const won = "mse(video.prediction, video.target)";
const lost = "mse(lose.video.prediction, lose.video.target)";

/** What `ltxc test` finds by trying a strategy: its numbers say that it most probably trains something else than was meant. */
export const entries = [
  {
    code: "LTX7110",
    slug: "dead-loss",
    title: "No gradient comes from a loss",
    explanation:
      "On every batch that was tried the gradient of this loss by the model's prediction is exactly 0, or not a number: training changes nothing. Most often the loss never leaves a bound, or its mask is empty, or everything is kept since a threshold does not fit what the mask holds. A term that a parameter switches off by its default is not reported.",
    bad: strategy("", `clamp(${velocity}, 0, 0.01)`),
    good: strategy("", velocity),
  },
  {
    code: "LTX7111",
    slug: "target-not-lowest",
    title: "The loss is not lowest where the prediction is the target",
    explanation:
      "The model learns whatever makes the loss lowest. Tried from a prediction that is exactly `target`, a step against the gradient still makes the loss fall by more than 5 % of what an error of 1 costs, so something else than the target is learnt: one side of a comparison is shifted, blurred or scaled and the other is not, or a term besides it is too strong.",
    bad: strategy("", "mse(video.prediction, shift(video.target, frame, 1))"),
    good: strategy("", "mse(shift(video.prediction, channel, 1), shift(video.target, channel, 1))"),
  },
  {
    code: "LTX7112",
    slug: "step-leads-away",
    title: "Training leads away from the clean tokens",
    explanation:
      "From a random prediction a small step against the gradient was made. After it `denoised`, or without it the prediction's distance to the target, is further off than before, for at least 9 of 10 samples. The loss has the wrong sign, or compares with something that is opposed to the target.",
    bad: strategy("", `1 / (0.1 + ${velocity})`),
    good: strategy("", `1 - 1 / (1 + ${velocity})`),
  },
  {
    code: "LTX7113",
    slug: "denoised-off",
    title: "With a perfect prediction `denoised` is not clean",
    explanation:
      "The prediction was set to exactly `target`. `denoised` must then be the clean tokens, and differs from them by more than 15 % of their size. Losses, samples and `ltxc inspect` look at `denoised`, so solve `noisy` and `target` for the clean tokens.",
    bad: strategy("  denoised: noisy - 0.9 * timesteps * prediction * sqrt(mean(abs(clean)) + 1)\n", velocity),
    good: strategy("  denoised: noisy - timesteps * prediction\n", velocity),
  },
  {
    code: "LTX7114",
    slug: "target-not-velocity",
    title: "The target is not the velocity that the base model predicts",
    explanation:
      "The base model was trained to predict `noise - clean`, and samplers take its prediction for that. This `target` differs from it by more than half of its size, and the file does not say by `denoised` how the clean tokens follow. A wrong sign is the most frequent reason.",
    bad: strategy("  target: clean - noise\n", velocity),
    good: strategy("  target: clean\n  denoised: prediction\n", velocity),
  },
  {
    code: "LTX7115",
    slug: "noise-unusual",
    title: "Noise is not independent normal noise",
    explanation:
      "Sampling starts from noise of mean 0 and deviation 1, independent for each element and of the clean tokens, so that is what the model must be trained on. Here the mean is off by more than 0.1, the deviation by more than 0.2, or a correlation is too large: with the clean tokens or another sample above 0.2, of neighbouring tokens above 0.6. What is added to noise needs a division by the new deviation.",
    bad: strategy("  noise: randn() + randn()\n", velocity),
    good: strategy("  noise: (randn() + randn()) / sqrt(2)\n", velocity),
  },
  {
    code: "LTX7116",
    slug: "noisy-ends",
    title: "Noised tokens are not clean at level 0, or not noise at level 1",
    explanation:
      "`sigma` is the share of noise. The sampler was set to 0, where `noisy` must be the clean tokens, and to 1, where it must be the noise; it is off by more than a fifth. Most often the two have changed places, or a factor is missing.",
    bad: strategy(
      "  noisy: sigma * clean + (1 - sigma) * noise\n  denoised: noisy - (1 - timesteps) * prediction\n",
      velocity,
    ),
    good: strategy(
      "  noisy: (1 - sigma) * clean + sigma * noise\n  denoised: noisy - timesteps * prediction\n",
      velocity,
    ),
  },
  {
    code: "LTX7117",
    slug: "levels-unusual",
    title: "The noise level hardly varies",
    explanation:
      "Sampling goes through all levels from 1 to 0. Over all batches `sigma` had one single value, or none above 0.05, so nearly all of them are left untrained. Levels are shares from 0 to 1, not timesteps up to 1000.",
    bad: strategy("  sigma: sampled() / 1000\n", velocity),
    good: strategy("  sigma: sampled()\n", velocity),
  },
  {
    code: "LTX7118",
    slug: "loss-falls-without-end",
    title: "The loss falls the further the prediction is off",
    explanation:
      "The loss was tried at an error of 1, 10 and 100 in the same direction. For a sample it becomes lower each time, and less than 0: training drives the prediction away without end. A difference was not squared, a weight is below 0, or too much is subtracted.",
    bad: strategy("", "mean(video.prediction - video.target)"),
    good: strategy("", "mean(abs(video.prediction - video.target))"),
  },
  {
    code: "LTX7119",
    slug: "gradients-unequal",
    title: "Gradients differ by more than 100 times",
    explanation:
      "The gradient of one modality is more than 100 times that of the other, or near a noise level of 0 or 1 more than 100 times that at 0.5. What is weak is as good as untrained, and single samples decide where training goes.",
    bad: withSound("1000 * "),
    good: withSound(""),
  },
  {
    code: "LTX7120",
    slug: "grows-with-size",
    title: "A loss grows with the number of tokens",
    explanation:
      "With five times as many tokens the loss is at least three times as large: it adds up where a mean is meant. Large videos then outweigh small ones, and a learning rate fits one resolution only.",
    bad: strategy("", "sum((video.prediction - video.target)^2)"),
    good: strategy("", velocity),
  },
  {
    code: "LTX7121",
    slug: "no-effect",
    title: "A source or a parameter has no effect",
    explanation:
      "It is used, but with other data, or another value, everything is the same: what the model is given and all gradients. Factors inside of `over` cancel, a bound may never be reached, and a comparison may never be true.",
    bad: `strategy: example\nparams:\n  boost: {type: number, default: 2, minimum: 1, maximum: 10}\n${sources}video:\n  latents: latents\nloss:\n  velocity: ${velocity} over (boost * float(video.generated))\n`,
    good: `strategy: example\nparams:\n  boost: {type: number, default: 2, minimum: 1, maximum: 10}\n${sources}video:\n  latents: latents\nloss:\n  velocity: boost * ${velocity}\n`,
  },
  {
    code: "LTX7122",
    slug: "mask-reversed",
    title: "A mask means the opposite of its name",
    explanation:
      "A mask named `hole` or `missing` says what is to be generated, one named `given` or `visible` what is kept. Here a full mask keeps more, or less, than an empty one against that name. What 1 means is decided by who made the files: look at one with `ltxc inspect`.",
    bad: strategy("  keep: hole > 0.5\n", kept, hole),
    good: strategy("  keep: not (hole > 0.5)\n", kept, hole),
  },
  {
    code: "LTX7123",
    slug: "reference-unseen",
    title: "No token of the target may look at a reference",
    explanation:
      "`attention` is true where a query may look at a key. On every batch it is 0 for all pairs of a token of the target and one of a reference, so the reference costs time and has no influence.",
    bad: strategy("  references: [depth]\n  attention: not key(from(depth))\n", velocity, depth),
    good: strategy("  references: [depth]\n  attention: not from(depth) or key(from(depth))\n", velocity, depth),
  },
  {
    code: "LTX7124",
    slug: "blind-to-errors",
    title: "The loss does not see some errors",
    explanation:
      "The target with an error added was taken for the prediction: twice the target, the same number added everywhere, or opposite numbers in neighbouring channels or tokens. On no batch does the loss change, so nothing keeps the model from such errors. A mean before the comparison, or a cosine distance alone, has this effect.",
    bad: strategy("", "cosine_distance(video.prediction, video.target)"),
    good: strategy("", `${velocity} + 0.1 * cosine_distance(video.prediction, video.target)`),
  },
  {
    code: "LTX7125",
    slug: "fades-out",
    title: "At the end of the run nothing is trained",
    explanation:
      "`progress` runs from 0 at the first step to 1 at the last. There is a gradient at 0 and none at 1. If a term shall fade out, another must go on.",
    bad: strategy("", `(1 - progress) * ${velocity}`),
    good: strategy("", `max(0.1, 1 - progress) * ${velocity}`),
  },
  {
    code: "LTX7126",
    slug: "image-kept-whole",
    title: "Some images are kept as a whole",
    explanation:
      "An image is a video of a single frame, which is its first. Where the first frame is kept by chance, an image is kept as a whole: its loss is 0, and the sample is lost. `frames > 1` leaves images out.",
    bad: strategy("  keep: first_frame with probability 0.5\n", kept),
    good: strategy("  keep: first_frame and frames > 1 with probability 0.5\n", kept),
  },
  {
    code: "LTX7127",
    slug: "already-predicted",
    title: "The model already predicts what it is compared with",
    explanation:
      "A training begins with the base model: what is trained, the base model and the moving average then predict the same wherever they are given the same. Here the gradient is exactly 0 at this start, on every batch, and without a gradient nothing ever changes. Give the passes another text, noise level or latents than the step's own call has, or compare with `video.target` as well.",
    bad: withPasses("  base: {adapters: false}\n", "mse(video.prediction, base.video.prediction)", ""),
    good: withPasses(
      "  base: {adapters: false, video: {text: empty}}\n",
      "mse(video.prediction, base.video.prediction)",
    ),
  },
  {
    code: "LTX7128",
    slug: "both-sides-trained",
    title: "Two trained predictions are compared with nothing but each other",
    explanation:
      "Both sides of the comparison get a gradient, and each moves towards the other, so the model may come to predict anything, as long as both agree. One of them should be the aim: that of the base model (`adapters: false`), of the moving average (`adapters: ema`), or one in `stop_gradient(…)`.",
    bad: withPasses("  blind: {video: {text: empty}}\n", "mse(video.prediction, 2 * blind.video.prediction)"),
    good: withPasses(
      "  blind: {video: {text: empty}}\n",
      "mse(video.prediction, 2 * stop_gradient(blind.video.prediction))",
    ),
  },
  {
    code: "LTX7129",
    slug: "preference-reversed",
    title: "The loss prefers the clips that are called worse",
    explanation:
      "The loss leads the prediction of one call to its target and that of another away from it, as a preference does. By the names of their sources or folders (`winners`, `chosen`, `better`; `losers`, `rejected`, `worse`) it is the other way round. Look at the sign of the margin and at which call has which latents.",
    bad: withPasses(lose, `softplus(${lost} - ${won})`, worse),
    good: withPasses(lose, `softplus(${won} - ${lost})`, worse),
  },
] as const satisfies readonly Entry[];
