import type { Entry } from "./entry.ts";

const sources =
  "sources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\n";
const strategy = (video: string, term: string, more = ""): string =>
  `strategy: example\n${sources}${more}video:\n  latents: latents\n${video}loss:\n  velocity: ${term}\n`;
const velocity = "mse(video.prediction, video.target)";
const kept = `${velocity} over video.generated`;
const withSound = (video: string, audio: string, loss: string): string =>
  `strategy: example\n${sources}  sound: {directory: audio_latents, kind: audio_latents}\nparams:\n  count: {type: integer, default: 2, minimum: 1}\n  given: {type: integer, default: 25, minimum: 1}\nvideo:\n  latents: latents\n${video}audio:\n  latents: sound\n${audio}loss:\n  video: ${loss}\n  audio: ${loss.replaceAll("video", "audio")}\n`;

/** What is well typed, and yet surely or most probably trains something else than was meant. */
export const entries = [
  {
    code: "LTX5030",
    slug: "drawn-anew",
    title: "Two draws where one is meant",
    explanation:
      "A binding without arguments is one value with one draw. A binding with arguments is inserted at each use and draws anew there, and so does a draw that is written twice: two uses in one comparison, or in two sections, then differ by chance. Name the draw once, without arguments.",
    bad: strategy("", "mse(scale(video.prediction), scale(video.target))", "let:\n  scale(x): x * uniform(0.5, 2)\n"),
    good: strategy(
      "",
      "mse(scale(video.prediction), scale(video.target))",
      "let:\n  by: uniform(0.5, 2)\n  scale(x): x * by\n",
    ),
  },
  {
    code: "LTX5031",
    slug: "no-gradient",
    title: "No gradient of a loss reaches the model",
    explanation:
      "A loss trains by its gradient. `stop_gradient` ends it, a mask or `floor` has none, and a loss that is divided by or subtracted from itself, or made of nothing that the model predicts has a constant value. Such a term changes nothing; where a modality has no other term, this is an error. Put `stop_gradient` around weights only, and compare values, not masks.",
    bad: strategy("", "mse(stop_gradient(video.prediction), video.target)"),
    good: strategy("", velocity),
  },
  {
    code: "LTX5032",
    slug: "noise-for-all",
    title: "Noise is the same for all tokens or channels",
    explanation:
      "A draw in `let` is one number for each sample. As `noise` it would shift the whole sample by that number instead of noising it. Draw a number for each element: `randn()` under `noise`, or `randn() per (token:video, channel)` in `let`.",
    bad: strategy("  noise: eps\n", velocity, "let:\n  eps: randn()\n"),
    good: strategy("  noise: eps\n", velocity, "let:\n  eps: randn() per (token:video, channel)\n"),
  },
  {
    code: "LTX5033",
    slug: "noise-not-normal",
    title: "Noise is uniform",
    explanation:
      "The base model was trained with normal noise of mean 0 and deviation 1, and every sampler starts from it. Uniform noise has another spread and no tails. Write `randn()`.",
    bad: strategy("  noise: uniform(-1, 1) per element\n", velocity),
    good: strategy("  noise: randn()\n", velocity),
  },
  {
    code: "LTX5034",
    slug: "sigma-reversed",
    title: "Sigma is reversed",
    explanation:
      "`sigma` is the share of noise: 0 is clean, 1 is pure noise, and `sampled()` draws it as the model needs it. `1 - sampled()` trains mostly where the sampler says least. If another distribution is meant, write it out.",
    bad: strategy("  sigma: 1 - sampled()\n", velocity),
    good: strategy("  sigma: sampled()\n", velocity),
  },
  {
    code: "LTX5035",
    slug: "weight-explodes",
    title: "A weight has no bound",
    explanation:
      "`snr(sigma)` is about 1,000,000 near sigma 0, so a few samples outweigh all others; cap it, as `min(snr(video.sigma), 5)` does. Kept tokens have timestep 0, so a weight of `video.timesteps` is largest just there; use `video.sigma`.",
    bad: strategy("", `snr(video.sigma) * ${velocity}`),
    good: strategy("", `min(snr(video.sigma), 5) * ${velocity}`),
  },
  {
    code: "LTX5036",
    slug: "weight-cancels",
    title: "A weight of the sample is divided out by `over`",
    explanation:
      "`over w` divides by the mean of `w` in each sample, so a factor that is the same for all tokens of a sample has no effect there. Put it in front of the loss.",
    bad: strategy(
      "",
      `${velocity} over (importance * score)`,
      "  importance: {directory: importance, kind: video_mask}\n  score: {directory: scores, kind: tensor, key: value, axes: []}\n",
    ),
    good: strategy(
      "",
      `score * ${velocity} over importance`,
      "  importance: {directory: importance, kind: video_mask}\n  score: {directory: scores, kind: tensor, key: value, axes: []}\n",
    ),
  },
  {
    code: "LTX5037",
    slug: "square-of-mean",
    title: "The square of a mean stands in place of the mean of squares",
    explanation:
      "In `mean(a - b)^2` errors of opposite signs cancel before they are squared: the loss is near 0 however wrong each token is. `mse(a, b)` squares first.",
    bad: strategy("", "mean(video.prediction - video.target)^2"),
    good: strategy("", velocity),
  },
  {
    code: "LTX5038",
    slug: "mixes-samples",
    title: "A reduction over the batch",
    explanation:
      "A value that is reduced over `batch` depends on which samples happen to lie in one batch, and changes with the batch size. Without axes, a reduction keeps `batch`: `mean(x)` is one number for each sample. To compare a sample with the others of its batch, write `others(x)`, which adds the axis `other`, and reduce that.",
    bad: strategy("", `${velocity} over mean(hole, batch)`, "  hole: {directory: hole, kind: video_mask}\n"),
    good: strategy("", `${velocity} over hole`, "  hole: {directory: hole, kind: video_mask}\n"),
  },
  {
    code: "LTX5039",
    slug: "all-kept",
    title: "Every token is kept clean",
    explanation:
      "Kept tokens are given, so where all of them are, the model has nothing to generate and the loss is 0. With `progress` in the mask this may hold at the end of the run only, which is a warning.",
    bad: strategy("  keep: frame_index >= 0\n", kept),
    good: strategy("  keep: frame_index < 1\n", kept),
  },
  {
    code: "LTX5040",
    slug: "keyframes-everywhere",
    title: "All tokens are marked as keyframes",
    explanation:
      "`keyframes` marks tokens that stand for a single pixel frame, as those of the first latent frame do; all others stand for eight. It does not say what is given: that is `keep`. Left out, it is right.",
    bad: strategy("  keyframes: all\n", velocity),
    good: strategy("", velocity),
  },
  {
    code: "LTX5041",
    slug: "query-sees-nothing",
    title: "A query can look at no key",
    explanation:
      "Under `frame_index > key(frame_index)` a token does not see its own frame, and the first frame sees nothing: attention has no value there, and the run would end. Let each token see at least itself.",
    bad: strategy("  attention: frame_index > key(frame_index)\n", velocity),
    good: strategy("  attention: frame_index >= key(frame_index)\n", velocity),
  },
  {
    code: "LTX5042",
    slug: "loss-may-cover-kept",
    title: "A loss may cover tokens that are kept clean",
    explanation:
      "The tokens that the loss counts and those that are kept can overlap, depending on the data or on chance. Kept tokens have nothing to predict. Take them out with `and video.generated`, or write `over all` if they are meant to count. The same holds for errors that are added up, or of which the largest is taken, without `over`: `mean(abs(a - b))` counts kept tokens, `mae(a, b) over video.generated` does not. `ltxc test` finds it by the gradient, whatever the loss is made of.",
    bad: strategy(
      "  keep:\n    - not (hole > 0.5)\n    - first_frame with probability 0.5\n",
      `${velocity} over (hole > 0.5)`,
      "  hole: {directory: hole, kind: video_mask}\n",
    ),
    good: strategy(
      "  keep:\n    - not (hole > 0.5)\n    - first_frame with probability 0.5\n",
      `${velocity} over (hole > 0.5 and video.generated)`,
      "  hole: {directory: hole, kind: video_mask}\n",
    ),
  },
  {
    code: "LTX5043",
    slug: "loss-without-bound",
    title: "A loss can fall without end",
    explanation:
      "A distance that is subtracted rewards large errors. If its factor is at least that of the distances that are added, the loss falls the further the prediction runs away. Give it a smaller factor, or bound it. Parameters count with their defaults.",
    bad: strategy("", `${velocity} - 2 * mse(video.prediction, shift(video.target, batch, 1))`),
    good: strategy("", `${velocity} - 0.05 * mse(video.prediction, shift(video.target, batch, 1))`),
  },
  {
    code: "LTX5078",
    slug: "weight-of-latents",
    title: "Latents weigh a loss",
    explanation:
      "A mask that went through the video's encoder is latents: numbers of both signs, of which white is not 1 and black is not 0. As weights they reward errors where they are negative. Compare them with a threshold, or store weights as a mask or a tensor.",
    bad: strategy("", `${velocity} over masks`, "  masks: {directory: mask_latents, kind: video_latents}\n"),
    good: strategy(
      "",
      `${velocity} over (mean(tokens(masks), channel) > 0.5)`,
      "  masks: {directory: mask_latents, kind: video_latents}\n",
    ),
  },
  {
    code: "LTX5044",
    slug: "denoised-not-clean",
    title: "`denoised` does not fit `target`",
    explanation:
      "If the model predicts exactly `target`, `denoised` must be the clean tokens. Here it is not, so either the target has a wrong sign or the estimate belongs to another one. For a target of `noise - clean` it is `noisy - timesteps * prediction`, for one of `clean` it is `prediction`.",
    bad: strategy("  target: clean - noise\n  denoised: noisy - timesteps * prediction\n", velocity),
    good: strategy("  target: clean - noise\n  denoised: noisy + timesteps * prediction\n", velocity),
  },
  {
    code: "LTX5045",
    slug: "frames-and-steps",
    title: "One number counts frames of video and steps of audio",
    explanation:
      "`prefix(n)` counts latent frames of video but latent steps of audio, which are much shorter: the same number is another time in each. Give audio a parameter of its own, or compare `time`, which is in seconds for both.",
    bad: withSound("  keep: prefix(count)\n", "  keep: prefix(count)\n", kept),
    good: withSound("  keep: prefix(count)\n", "  keep: prefix(given)\n", kept),
  },
  {
    code: "LTX5046",
    slug: "target-is-reference",
    title: "Target and reference seem to have changed places",
    explanation:
      "`latents` is what the model learns to generate, `references` what it is shown. Here the target's folder is called a reference, and the reference's folder `latents`: the model would learn to make references out of videos.",
    bad: strategy("  references: [clips]\n", velocity, "  clips: {directory: latents, kind: video_latents}\n").replace(
      "{directory: latents, kind: video_latents}",
      "{directory: reference_latents, kind: video_latents}",
    ),
    good: strategy(
      "  references: [depth]\n",
      velocity,
      "  depth: {directory: reference_latents, kind: video_latents}\n",
    ),
  },
  {
    code: "LTX5047",
    slug: "nothing-kept",
    title: "`keep` keeps nothing",
    explanation:
      "The mask is false on every token. Frames, rows and columns count from 0 to one below their number, so `frame_index == -1` and `frame_index == frames` hold nowhere: the last frame is `suffix(1lf)`.",
    bad: strategy("  keep: frame_index == -1\n", kept),
    good: strategy("  keep: suffix(1)\n", kept),
  },
] as const satisfies readonly Entry[];
