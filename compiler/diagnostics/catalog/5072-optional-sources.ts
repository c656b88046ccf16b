import type { Entry } from "./entry.ts";

const strategy = (loss: string, depth = "optional: true", text = ""): string =>
  `strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  depth: {directory: depth, kind: video_latents, ${depth}}\n  conditions: {directory: conditions, kind: text_embeddings}\nvideo:\n  latents: latents\n${text}loss:\n  video: mse(video.prediction, video.target)\n  depth: ${loss}\n`;
const guarded = strategy("mse(video.denoised, tokens(depth)) over has(depth)");

const mixture = (datasets: string, loss = "if in(prior) then 0.5 else 1"): string =>
  `strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\ndatasets:\n  subject: {}\n${datasets}video:\n  latents: latents\nloss:\n  video: (${loss}) * mse(video.prediction, video.target)\n`;
const mixed = mixture("  prior: {root: class_clips, share: 0.5}\n");

/** Sources that some samples lack, and data sets. */
export const entries = [
  {
    code: "LTX5072",
    slug: "has-of-source",
    title: "`has` asks for no optional source",
    explanation:
      "`has(depth)` is true for the samples that have a file of the source `depth`. Samples that lack a file are left out of the training, unless the source says `optional: true`; so of all other sources there is nothing to ask.",
    bad: strategy("mse(video.denoised, tokens(depth)) over has(depth)", "like: latents"),
    good: guarded,
  },
  {
    code: "LTX5073",
    slug: "read-without-having",
    title: "An optional source is read in samples without it",
    explanation:
      "Samples without a file of an optional source have no value of it. Whatever counts for every sample, such as a loss or a mask, reads it only where samples have it: in the branch `then` of `if has(depth) then … else …`, in a loss `over has(depth)`, or after `has(depth) and`. The same holds for what follows from it, such as the target and the prediction of a modality whose latents are optional. A product with `float(has(depth))` is no such place.",
    bad: strategy("mse(video.denoised, tokens(depth))"),
    good: guarded,
  },
  {
    code: "LTX5074",
    slug: "needed-source",
    title: "A source that every sample needs is optional",
    explanation:
      "A source with `optional: true`, or one that a data set is `without`, is lacked by some samples. But every sample has video latents, whose grid is that of the sample, and a text; what a pass is given for its latents, and a frozen modality, cannot be missing either. A reference takes part for a whole batch, so no data set can be without it. Latents of a generated audio modality can: such samples enter as noise of level 1. A text can where another one follows it in the list.",
    bad: guarded.replace("kind: text_embeddings}", "kind: text_embeddings, optional: true}"),
    good: guarded,
  },
  {
    code: "LTX5075",
    slug: "shares-of-batch",
    title: "The shares of the data sets are no whole batch",
    explanation:
      "Every batch has samples of each data set: `share: 0.5` is half of it. Shares are numbers between 0 and 1, or parameters. One data set has no `share` and gets what the others leave; where all have one, they are 1 together.",
    bad: mixture("  prior: {root: class_clips}\n"),
    good: mixed,
  },
  {
    code: "LTX5076",
    slug: "without-source",
    title: "`without` does not list sources",
    explanation:
      "`without: [depth]` says that a data set has no files of the source `depth`. Its samples then lack it, as samples may lack a source with `optional: true`.",
    bad: mixture("  prior: {root: class_clips, share: 0.5, without: [subject]}\n"),
    good: mixed,
  },
  {
    code: "LTX5077",
    slug: "in-no-dataset",
    title: "`in` asks for no data set",
    explanation:
      "`in(prior)` is true for the samples of the data set `prior`, which is declared under `datasets`. Nothing else has samples to be in.",
    bad: mixture("  prior: {root: class_clips, share: 0.5}\n", "if in(latents) then 0.5 else 1"),
    good: mixed,
  },
] as const satisfies readonly Entry[];
