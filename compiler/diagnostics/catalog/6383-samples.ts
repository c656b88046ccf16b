import type { Entry } from "./entry.ts";

/** What samples have, and which data sets they come from. */
export const entries = [
  {
    code: "LTX6383",
    slug: "nobody-has-it",
    title: "No sample has an optional source",
    explanation:
      "Samples may lack a file of a source with `optional: true`, but of all samples at least one has it. Where none has, the directory is most likely another one, or its files have other names: those of one sample have the same path below each source's directory. To train without the source, remove it from the strategy.",
    bad: "latents/clip_1.pt\nconditions/clip_1.pt\ndepth/clip_1_depth.pt",
    good: "latents/clip_1.pt\nlatents/clip_2.pt\nconditions/clip_1.pt\nconditions/clip_2.pt\ndepth/clip_1.pt",
  },
] as const satisfies readonly Entry[];
