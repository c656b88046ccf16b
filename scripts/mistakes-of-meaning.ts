/**
 * Mistakes of meaning: strategies that are well typed and train, each with one mistake that shows only in what comes out of the training.
 * The kinds are those under which `npm run mutations` publishes what finds them.
 */

export interface MeaningMistake {
  readonly kind: string;
  readonly text: string;
  /** What a person can look at where neither the compiler nor `ltxc test` says anything. */
  readonly look?: string;
}

/** Parts of a strategy, each as lines of its section. */
interface Parts {
  readonly params?: string;
  readonly sources?: string;
  readonly lets?: string;
  readonly outputs?: string;
  readonly datasets?: string;
  readonly passes?: string;
  readonly expect?: string;
  /** The source that video is made of. */
  readonly latents?: string;
  readonly video?: string;
  readonly audio?: string;
  readonly loss?: string;
}

const velocity = "mse(video.prediction, video.target)";
const kept = `${velocity} over video.generated`;
const sound = "mse(audio.prediction, audio.target)";
const hole = "hole: {directory: hole_masks, kind: video_mask}";
const depth = "depth: {directory: depth_latents, kind: video_latents}";
const audio = "sound: {directory: audio_latents, kind: audio_latents}";
const score = "score: {directory: scores, kind: tensor, key: value, axes: []}";

const section = (name: string, lines: string | undefined): string =>
  lines === undefined ? "" : `${name}:\n  ${lines.replaceAll("\n", "\n  ")}\n`;

function strategy({
  params,
  sources,
  lets,
  outputs,
  datasets,
  passes,
  expect,
  latents = "latents",
  video,
  audio,
  loss = velocity,
}: Parts): string {
  const own = sources === undefined ? "" : `\n${sources}`;
  return [
    "strategy: mistaken\n",
    section("params", params),
    section(
      "sources",
      `latents: {directory: latents, kind: video_latents}\nconditions: {directory: conditions, kind: text_embeddings}${own}`,
    ),
    section("let", lets),
    section("datasets", datasets),
    section("passes", passes),
    section("outputs", outputs),
    section("video", `latents: ${latents}${video === undefined ? "" : `\n${video}`}`),
    section("audio", audio),
    section("expect", expect),
    section("loss", loss.includes("\n") || /^[a-z]+: /.test(loss) ? loss : `video: ${loss}`),
  ].join("");
}

const of = (kind: string, parts: Parts, look?: string): MeaningMistake => ({
  kind,
  text: strategy(parts),
  ...(look === undefined ? {} : { look }),
});

/** On masks, kept tokens and what a loss covers. */
const masks: readonly MeaningMistake[] = [
  of("a mask kept instead of generated", { sources: hole, video: "keep: hole > 0.5", loss: kept }),
  of("a threshold for bytes on a mask of 0 and 1", { sources: hole, video: "keep: not (hole > 127)", loss: kept }),
  of("images kept as a whole", { video: "keep: first_frame with probability 0.5", loss: kept }),
  of("everything is given at the end of the run", { video: "keep: frame_index < progress * frames", loss: kept }),
  of("the loss covers more than is generated", {
    sources: hole,
    video: "keep:\n  - not (hole > 0.5)\n  - first_frame with probability 0.5",
    loss: `${velocity} over (hole > 0.5)`,
  }),
  of(
    "edges of a rectangle in another order",
    { video: "keep: crop(0, 128, 512, 256)", loss: kept },
    "`ltxc inspect` shows `video.keep` on the grid",
  ),
  of("frames of video count steps of audio", {
    params: "count: {type: integer, default: 2, minimum: 1}",
    sources: audio,
    video: "keep: prefix(count)",
    audio: "latents: sound\nsigma: video.sigma\nkeep: prefix(count)",
    loss: `video: ${kept}\naudio: ${kept.replaceAll("video", "audio")}`,
  }),
  of(
    "a mask on one side of a comparison",
    { sources: hole, loss: "mse(float(hole > 0.5) * video.prediction, video.target)" },
    "the loss does not fall to 0; its gradient is right",
  ),
];

/** On noise and its levels. */
const noise: readonly MeaningMistake[] = [
  of("noise that is one number for each sample", { lets: "eps: randn()", video: "noise: eps" }),
  of("uniform noise", { video: "noise: uniform(-1, 1) per element" }),
  of("noise added without dividing by the new deviation", { video: "noise: randn() + randn()" }),
  of("noise blurred without dividing by the new deviation", { video: "noise: blur(randn(), 1)" }),
  of("noise that depends on the clean tokens", { video: "noise: 0.9 * randn() + 0.436 * clean" }),
  of("clean and noise in each other's place", {
    video: "noisy: sigma * clean + (1 - sigma) * noise\ndenoised: noisy - (1 - timesteps) * prediction",
  }),
  of("the share of data in place of that of noise", { video: "sigma: 1 - sampled()" }),
  of("levels in thousandths", { video: "sigma: sampled() / 1000" }),
  of("one level for all", { video: "sigma: 0.5" }),
];

/** On targets and what is compared. */
const targets: readonly MeaningMistake[] = [
  of("a target with the wrong sign", {
    video: "target: clean - noise\ndenoised: noisy - timesteps * prediction",
  }),
  of("a target of the next frame", { loss: "mse(video.prediction, shift(video.target, frame, 1))" }),
  of("target and reference in each other's place", {
    sources: "reference: {directory: reference_latents, kind: video_latents}",
    latents: "reference",
    video: "references: [latents]",
  }),
  of("the square of a mean", { loss: "mean(video.prediction - video.target)^2" }),
  of("a mean of differences without a square", { loss: "mean(video.prediction - video.target)" }),
  of("a sum in place of a mean", { loss: "sum((video.prediction - video.target)^2)" }),
  of("the direction alone", { loss: "cosine_distance(video.prediction, video.target)" }),
  of("channels averaged before the comparison", {
    loss: "mse(mean(video.prediction, channel), mean(video.target, channel))",
  }),
  of("a tap compared with features of another kind", {
    sources: "dino: {directory: dino, kind: tensor, key: features, axes: [token:video, feature]}",
    outputs: "mid: {tap: block 1, modality: video}",
    loss: `video: ${velocity}\nrepa: 0.5 * cosine_distance(mid, dino)`,
  }),
  of(
    "differences over rows that are meant over time",
    {
      lets: "change(x): x - shift(x, height, 1)",
      loss: `video: ${velocity}\nmotion: mse(change(video.prediction), change(video.target))`,
    },
    "only the formula itself; both train",
  ),
  of("a draw that is made anew on the other side", {
    lets: "coin(p): bernoulli(p)",
    video: "keep: first_frame and frames > 1 and coin(0.5)",
    loss: `(if coin(0.5) then 2 else 1) * ${kept}`,
  }),
];

/** On weights and gradients. */
const weights: readonly MeaningMistake[] = [
  of("a weight without a bound", { loss: `snr(video.sigma) * ${velocity}` }),
  of("a weight that is largest for kept tokens", {
    lets: "weight: mean(snr(video.timesteps))",
    video: "keep: first_frame and frames > 1",
    loss: `weight * ${kept}`,
  }),
  of(
    "a signal-to-noise ratio of the wrong side",
    { loss: `min(snr(1 - video.sigma), 5) * ${velocity}` },
    "the losses by noise level that a run reports",
  ),
  of("a weight of the sample that `over` divides out", {
    sources: `importance: {directory: importance, kind: video_mask}\n${score}`,
    loss: `${velocity} over (importance * score)`,
  }),
  of("a parameter that `over` divides out", {
    params: "boost: {type: number, default: 2, exclusiveMinimum: 0, maximum: 10}",
    loss: `${velocity} over (boost * float(video.generated))`,
  }),
  of("a weight below 0", { sources: score, loss: `(score - 0.5) * ${velocity}` }),
  of("a mean over the batch", { sources: hole, lets: "share: mean(hole, batch)", loss: `${velocity} over share` }),
  of("a distance that is subtracted too strongly", {
    loss: `${velocity} - 2 * mse(video.prediction, shift(video.target, batch, 1))`,
  }),
  of("a regulariser that outweighs the loss", { loss: `video: ${velocity}\nsmall: 10 * mean(video.prediction^2)` }),
  of("one modality outweighs the other", {
    sources: audio,
    audio: "latents: sound\nsigma: video.sigma",
    loss: `video: ${velocity}\naudio: 1000 * ${sound}`,
  }),
  of("no gradient reaches the model", { loss: "mse(stop_gradient(video.prediction), video.target)" }),
  of("a loss that is clamped where it always is", { loss: `clamp(${velocity}, 0, 0.01)` }),
  of("a balance of losses that cancels", {
    sources: audio,
    lets: `picture: ${velocity}\nheard: ${sound}\nbalance: picture / max(heard, 1e-6)`,
    audio: "latents: sound\nsigma: video.sigma",
    loss: "video: picture\naudio: 0.25 * balance * heard",
  }),
  of("nothing is trained at the end of the run", { loss: `(1 - progress) * ${velocity}` }),
];

/** On what the model is shown. */
const shown: readonly MeaningMistake[] = [
  of("tokens that see nothing", { video: "attention: frame_index > key(frame_index)" }),
  of("a reference that no token sees", {
    sources: depth,
    video: "references: [depth]\nattention: not key(from(depth))",
  }),
  of(
    "causal attention the wrong way round",
    { video: "attention: frame_index <= key(frame_index)" },
    "`ltxc inspect` shows which keys a query sees",
  ),
  of(
    "a reference shown seldom instead of mostly",
    { sources: depth, video: "references: [depth with probability 0.1]" },
    "`ltxc inspect` with other seeds shows how often the reference takes part",
  ),
  of("all tokens marked as keyframes", { video: "keyframes: all" }),
  of(
    "the other modality is frozen",
    {
      sources: audio,
      video: "generate: false",
      audio: "latents: sound",
      loss: `audio: ${sound}`,
    },
    "`ltxc inspect` shows what is noised of each modality",
  ),
];

const texts =
  "positive: {file: positive.pt, kind: text_embeddings}\nnegative: {file: negative.pt, kind: text_embeddings}";
const general = "general: {directory: general_conditions, kind: text_embeddings}";
const worse = "worse: {directory: losers, kind: video_latents, like: latents}";
const pair =
  "lose: {video: {latents: worse}}\nref: {adapters: false}\nref_lose: {adapters: false, video: {latents: worse}}";
const winner = "winner: mse(ref.video.prediction, video.target) - mse(video.prediction, video.target)";
const loser =
  "loser: mse(ref_lose.video.prediction, lose.video.target) - mse(lose.video.prediction, lose.video.target)";
const preference = {
  sources: worse,
  passes: pair,
  lets: `${winner}\n${loser}`,
  loss: "softplus(-2000 * (winner - loser))",
};
const slider = {
  sources: texts,
  passes:
    "base: {adapters: false}\nmore: {adapters: false, video: {text: positive}}\nless: {adapters: false, video: {text: negative}}",
  video: "text: conditions",
  loss: "mse(video.prediction, base.video.prediction + more.video.prediction - less.video.prediction)",
};
const guided = "mse(video.prediction, blind.video.prediction + 3 * (base.video.prediction - blind.video.prediction))";

/** On what a step calls the model with. */
const calls: readonly MeaningMistake[] = [
  of("the base model with its adapters on", {
    ...preference,
    passes: pair.replaceAll("adapters: false, ", "").replace("adapters: false", ""),
  }),
  of("one of two aims is trained itself", {
    sources: general,
    passes: "base: {adapters: false}\nblind: {video: {text: general}}",
    video: "text: conditions",
    loss: guided,
  }),
  of("a preference for what is worse", { ...preference, loss: "softplus(2000 * (winner - loser))" }),
  of("winners and losers in each other's place", { ...preference, loss: "softplus(-2000 * (loser - winner))" }),
  of("the loser's prediction against the winner's target", {
    ...preference,
    lets: `${winner}\n${loser.replaceAll("lose.video.target", "video.target")}`,
  }),
  of("a preference without a bound", { ...preference, loss: "loser - winner" }),
  of("a student of itself", {
    passes: "base: {adapters: false}",
    loss: "mse(video.prediction, base.video.prediction)",
  }),
  of("the same text on both sides of a slider", { ...slider, passes: slider.passes.replace("negative", "positive") }),
  of(
    "the texts of a slider in each other's place",
    {
      ...slider,
      passes: slider.passes.replace("positive", "other").replace("negative", "positive").replace("other", "negative"),
    },
    "samples of the LoRA at strength 1: they go the other way",
  ),
  of("what is to stay is driven away", {
    sources: general,
    passes: "now: {video: {text: general}}\nbefore: {adapters: false, video: {text: general}}",
    video: "text: conditions",
    loss: `video: ${velocity}\npreserve: -mse(now.video.prediction, before.video.prediction)`,
  }),
  of(
    "a teacher at a higher level than its student",
    {
      passes: 'teacher: {adapters: ema}\nnear: {adapters: ema, video: {sigma: "min(1, video.sigma + 0.05)"}}',
      loss: "mse(video.denoised, near.video.denoised + 0 * teacher.video.denoised)",
    },
    "the levels of the pass, as the step's code writes them",
  ),
  of(
    "the weight of one data set on the other",
    {
      params: "weight: {type: number, default: 0.1, minimum: 0}",
      datasets: "subject: {}\nprior: {root: class_clips, share: 0.5}",
      loss: `(if in(prior) then 1 else weight) * ${velocity}`,
    },
    "the losses by data set that a run reports",
  ),
  of("samples that lack a source are asked for it", {
    sources: depth.replace("}", ", optional: true}"),
    loss: `video: ${velocity}\ndepth: mse(video.denoised, tokens(depth)) over not has(depth)`,
  }),
  of("a chance of 90 % where 10 % are expected", {
    video: "keep: first_frame and frames > 1 with probability 0.9",
    loss: kept,
    expect: "- any(video.keep, token) about 0.1",
  }),
];

export const meaningMistakes: readonly MeaningMistake[] = [
  ...masks,
  ...noise,
  ...targets,
  ...weights,
  ...shown,
  ...calls,
];
