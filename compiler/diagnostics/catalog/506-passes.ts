import type { Entry } from "./entry.ts";

const strategy = (passes: string, loss: string, sources = ""): string =>
  `strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n${sources}  conditions: {directory: conditions, kind: text_embeddings}\npasses:\n${passes}video:\n  latents: latents\nloss:\n${loss}`;
const base = "  base: {adapters: false}\n";
const kept = "  keep: mse(video.prediction, base.video.prediction)\n";
const velocity = "  velocity: mse(video.prediction, video.target)\n";

/** Other calls of the model in the step. */
export const entries = [
  {
    code: "LTX5060",
    slug: "constant-loss",
    title: "A loss term reads constant predictions alone",
    explanation:
      "What a pass with `adapters: false` predicts is constant to the gradient: its weights are not the ones that are trained. A term that reads no other prediction trains nothing. Compare it with the prediction of the step's own call, or with that of a pass that has the trained weights.",
    bad: strategy(base, `${velocity}  keep: mse(base.video.prediction, video.target)\n`),
    good: strategy(base, velocity + kept),
  },
  {
    code: "LTX5061",
    slug: "unread-pass",
    title: "Nothing reads what a pass predicts",
    explanation:
      "Each pass is another call of the model in every step, which takes time and memory. One whose predictions neither a loss nor a pass that is needed reads is a mistake. Read its `prediction` or `denoised`, or remove the pass.",
    bad: strategy(base, velocity),
    good: strategy(base, velocity + kept),
  },
  {
    code: "LTX5062",
    slug: "grid-of-pass",
    title: "Latents of a pass may have another grid",
    explanation:
      "A pass shares all that it does not write itself with the step's own call: noise, noise level and masks. So its latents need the grid of the step's own. `like` in the source says that they have it, and `ltxc check` compares the files.",
    bad: strategy(
      "  lose: {video: {latents: worse}}\n",
      `${velocity}  lose: -0.1 * mse(lose.video.prediction, lose.video.target)\n`,
      "  worse: {directory: losers, kind: video_latents}\n",
    ),
    good: strategy(
      "  lose: {video: {latents: worse}}\n",
      `${velocity}  lose: -0.1 * mse(lose.video.prediction, lose.video.target)\n`,
      "  worse: {directory: losers, kind: video_latents, like: latents}\n",
    ),
  },
  {
    code: "LTX5063",
    slug: "unfit-like",
    title: "`like` names no source of the same kind",
    explanation:
      "`like` says whose grid the latents of a source have. It stands in sources of kind `video_latents` or `audio_latents`, and names another source of that kind.",
    bad: strategy(base, velocity + kept, "  worse: {directory: losers, kind: video_latents, like: conditions}\n"),
    good: strategy(
      "  lose: {video: {latents: worse}}\n",
      `${velocity}  lose: -0.1 * mse(lose.video.prediction, lose.video.target)\n`,
      "  worse: {directory: losers, kind: video_latents, like: latents}\n",
    ),
  },
  {
    code: "LTX5064",
    slug: "target-of-another-call",
    title: "A prediction is compared with the target of another call",
    explanation:
      "A pass with latents, noise or a target of its own has another `target` than the step's own call. Compared with the other's, its prediction is led to something that was not in its input. Write the `target` of the same call.",
    bad: strategy(
      "  lose: {video: {latents: worse}}\n",
      `${velocity}  lose: 0.1 * mse(lose.video.prediction, video.target)\n`,
      "  worse: {directory: losers, kind: video_latents, like: latents}\n",
    ),
    good: strategy(
      "  lose: {video: {latents: worse}}\n",
      `${velocity}  lose: 0.1 * mse(lose.video.prediction, lose.video.target)\n`,
      "  worse: {directory: losers, kind: video_latents, like: latents}\n",
    ),
  },
  {
    code: "LTX5065",
    slug: "no-outputs-of-pass",
    title: "A pass has no outputs",
    explanation:
      "`outputs` are those of the step's own call. A value of a pass that follows from a value of the step with `outputs` in it can not be made; write that field of the pass without them.",
    bad: `strategy: example
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
passes:
  base: {adapters: false}
video:
  latents: latents
  denoised: noisy - timesteps * prediction + mean(guess, feature)
outputs:
  middle: {tap: block 1, modality: video}
  guess: {linear: middle, features: 4}
loss:
  velocity: mse(video.prediction, video.target)
  keep: mse(video.denoised, base.video.denoised)
`,
    good: `strategy: example
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
passes:
  base: {adapters: false, video: {denoised: noisy - timesteps * prediction}}
video:
  latents: latents
  denoised: noisy - timesteps * prediction + mean(guess, feature)
outputs:
  middle: {tap: block 1, modality: video}
  guess: {linear: middle, features: 4}
loss:
  velocity: mse(video.prediction, video.target)
  keep: mse(video.denoised, base.video.denoised)
`,
  },
  {
    code: "LTX5066",
    slug: "idle-gradient",
    title: "`gradient: through` without a gradient",
    explanation:
      "`gradient: through` lets gradients flow into the call whose prediction a pass is given; by default what is handed over is constant. It means nothing where the pass is given no prediction of a trained call, or where its own weights are not trained.",
    bad: strategy(
      "  next: {gradient: through, video: {sigma: video.sigma / 2}}\n",
      `${velocity}  next: mse(next.video.prediction, video.target)\n`,
    ),
    good: strategy(
      "  next: {video: {sigma: video.sigma / 2}}\n",
      `${velocity}  next: mse(next.video.prediction, video.target)\n`,
    ),
  },
] as const satisfies readonly Entry[];
