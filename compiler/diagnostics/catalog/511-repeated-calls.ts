import type { Entry } from "./entry.ts";

const strategy = (base: string): string =>
  `strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\npasses:\n  base: ${base}\nvideo:\n  latents: latents\nloss:\n  velocity: mse(video.prediction, video.target)\n  keep: mse(video.prediction, base.video.prediction)\n`;

const shares = (expected: string): string =>
  `strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\nvideo:\n  latents: latents\n  keep: prefix(1) with probability 0.3\nloss:\n  velocity: mse(video.prediction, video.target) over video.generated\nexpect:\n  - ${expected}\n`;

/** Calls of the model in one step, compared with one another, and what is expected on average. */
export const entries = [
  {
    code: "LTX5110",
    slug: "same-call",
    title: "A pass is given the same as another call",
    explanation:
      "A pass with the trained weights and nothing of its own is the step's own call once more, and two passes with the same weights and the same overrides are one call twice: each predicts what the other does, for the price of a call. Most often `adapters: false` is forgotten, which makes it the base model, or the `text` or the `latents` that it is to differ in.",
    bad: strategy("{}"),
    good: strategy("{adapters: false}"),
  },
  {
    code: "LTX5111",
    slug: "unfit-share",
    title: "What is expected on average is not a number that it can be",
    explanation:
      "`mean(video.keep) about 0.1 within 0.02` in `expect` compares the mean over many draws with a number that is known before the run: a number or a parameter. A mask is true in a share of its entries, from 0 to 1, and what follows `within` is above 0.",
    bad: shares("mean(video.keep) about video.sigma"),
    good: shares("mean(video.keep) about 0.1 within 0.02"),
  },
] as const satisfies readonly Entry[];
