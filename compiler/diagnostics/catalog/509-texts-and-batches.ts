import type { Entry } from "./entry.ts";

const latents = "  latents: {directory: latents, kind: video_latents}\n";
const conditions = "  conditions: {directory: conditions, kind: text_embeddings}\n";
const empty = "  empty: {file: empty.pt, kind: text_embeddings}\n";
const velocity = "mse(video.prediction, video.target)";

/** `keys` of `video`, each line indented by two. */
const strategy = (keys: string, loss = velocity): string =>
  `strategy: example\nsources:\n${latents}${conditions}${empty}video:\n  latents: latents\n${keys}loss:\n  velocity: ${loss}\n`;

/** Texts as a choice, files for all samples, and what other samples of the batch are for. */
export const entries = [
  {
    code: "LTX5090",
    slug: "only-files",
    title: "Every source is one file",
    explanation:
      "`file:` names one file, whose value all samples share. What the samples are is told by the files of a directory, so at least one source has a `directory:`.",
    bad: `strategy: example\nsources:\n  latents: {file: clip.pt, kind: video_latents}\n${empty}video:\n  latents: latents\nloss:\n  velocity: ${velocity}\n`,
    good: `strategy: example\nsources:\n${latents}${empty}video:\n  latents: latents\nloss:\n  velocity: ${velocity}\n`,
  },
  {
    code: "LTX5091",
    slug: "text-probability",
    title: "The probabilities of the texts are not complete",
    explanation:
      "Of several texts each sample gets the first one that is drawn, from top to bottom. So every entry but the last says with which probability it is taken, and the last one is what is left.",
    bad: strategy("  text:\n    - empty\n    - conditions\n"),
    good: strategy("  text:\n    - empty with probability 0.1\n    - conditions\n"),
  },
  {
    code: "LTX5092",
    slug: "text-twice",
    title: "A text is listed twice",
    explanation: "Each entry of `text` is another source; two sources may share a file or a directory.",
    bad: strategy("  text:\n    - empty with probability 0.1\n    - empty\n"),
    good: strategy("  text:\n    - empty with probability 0.1\n    - conditions\n"),
  },
  {
    code: "LTX5093",
    slug: "no-such-text",
    title: "`text` has no such entry",
    explanation:
      "`video.text[0]` is a mask over the samples of the batch: true for those that got the first entry of the list below `text:`. Entries are counted from 0.",
    bad: strategy(
      "  text:\n    - empty with probability 0.1\n    - conditions\n",
      `(if video.text[2] then 0.5 else 1) * ${velocity}`,
    ),
    good: strategy(
      "  text:\n    - empty with probability 0.1\n    - conditions\n",
      `(if video.text[0] then 0.5 else 1) * ${velocity}`,
    ),
  },
] as const satisfies readonly Entry[];
