import type { Entry } from "./entry.ts";

const strategy = (passes: string, losses: string): string =>
  `strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\n${passes}video:\n  latents: latents\nloss:\n${losses}`;

const velocity = "  velocity: mse(video.prediction, video.target)\n";
const pass = "passes:\n  base: {adapters: false, video: {target: -video.clean}}\n";

/** What passes write in vain, and what samples are compared with. */
export const entries = [
  {
    code: "LTX5084",
    slug: "unread-override",
    title: "Nothing reads what a pass writes",
    explanation:
      "A pass may write a `target` and a `denoised` of its own. They are not given to the model: losses compare with them. Where none reads them, the loss most likely compares what the pass predicts with the step's own.",
    bad: strategy(pass, `${velocity}  keep: mse(video.prediction, base.video.prediction)\n`),
    good: strategy(pass, `  keep: mse(video.prediction, base.video.target + base.video.prediction)\n`),
  },
  {
    code: "LTX5085",
    slug: "pulled-to-others",
    title: "A prediction is trained towards other samples of the batch",
    explanation:
      "`others(x)` is what belongs to the other samples of a batch, which are drawn at random. A prediction that comes near to it learns their mean. Contrastive flow matching subtracts this distance, with a small factor, from that to the sample's own target.",
    bad: strategy("", "  velocity: mse(video.prediction, others(video.target))\n"),
    good: strategy(
      "",
      "  velocity: mse(video.prediction, video.target) - 0.05 * mse(video.prediction, others(video.target))\n",
    ),
  },
] as const satisfies readonly Entry[];
