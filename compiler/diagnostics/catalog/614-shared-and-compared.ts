import type { Entry } from "./entry.ts";

/** Data that all samples share, and samples that are compared with the others of their batch. */
export const entries = [
  {
    code: "LTX6144",
    slug: "source-file-missing",
    title: "the one file of a source does not exist",
    explanation:
      "A source with `file:` has one file for all samples, such as the embedding of the empty caption. It lies below the data root, like the directories of other sources.",
    bad: "sources:\n  empty: {file: empty.pt, kind: text_embeddings}\ndatasets/cats holds latents/ and conditions/",
    good: "datasets/cats holds latents/, conditions/ and empty.pt",
  },
  {
    code: "LTX6145",
    slug: "texts-differ",
    title: "the texts of a modality differ in size",
    explanation:
      "Where each sample gets one of several texts, they are of one length and width, and all or none of them have embeddings for audio. Encode them with the same settings, padded to the same number of tokens.",
    bad: "empty.pt has video_prompt_embeds [256, 3840], the conditions have [1024, 3840]",
    good: "empty.pt has video_prompt_embeds [1024, 3840], the conditions have [1024, 3840]",
  },
  {
    code: "LTX6146",
    slug: "batch-of-one",
    title: "batches of one sample have no others",
    explanation:
      "The strategy compares each sample with the others of its batch, by `others(x)`, `assigned(noise, clean)` or a `shift` along `batch`. That takes at least two samples in a batch. Samples of other micro-batches of the same step do not count.",
    bad: "optimization:\n  batch_size: 1\n  gradient_accumulation_steps: 4",
    good: "optimization:\n  batch_size: 4",
  },
  {
    code: "LTX6147",
    slug: "not-evaluated",
    title: "evaluations leave out terms that compare samples",
    explanation:
      "An evaluation takes the held-out samples one by one, so that its losses do not depend on the batch size. Terms that compare the samples of a batch have no value there and are left out. Where all terms do, there is nothing to evaluate.",
    bad: "loss:\n  video: mse(video.prediction, video.target) - 0.05 * mean((video.prediction - others(video.target))^2)",
    good: "loss:\n  video: mse(video.prediction, video.target)\n  contrast: -0.05 * mean((video.prediction - others(video.target))^2)",
  },
] as const satisfies readonly Entry[];
