import type { Entry } from "./entry.ts";

const strategy = (base: string): string =>
  `strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\npasses:\n  base: ${base}\nvideo:\n  latents: latents\nloss:\n  velocity: mse(video.prediction, video.target)\n  keep: mse(video.prediction, base.video.prediction)\n`;

/** Calls of the model in one step, compared with one another. */
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
] as const satisfies readonly Entry[];
