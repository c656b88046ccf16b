import type { Entry } from "./entry.ts";

const latents = "  latents: {directory: latents, kind: video_latents}\n";
const conditions = "  conditions: {directory: conditions, kind: text_embeddings}\n";
const empty = "  empty: {file: empty.pt, kind: text_embeddings}\n";
const velocity = "mse(video.prediction, video.target)";

/** `keys` of `video`, each line indented by two. */
const strategy = (keys: string, loss = velocity): string =>
  `strategy: example\nsources:\n${latents}${conditions}${empty}video:\n  latents: latents\n${keys}loss:\n  velocity: ${loss}\n`;

const withReference = (keys: string, loss: string): string =>
  strategy(keys, loss).replace(empty, "  style: {directory: style_latents, kind: video_latents}\n");

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
  {
    code: "LTX5094",
    slug: "clean-reference",
    title: "A reference without noise has no noisy tokens",
    explanation:
      "References enter the model clean, with timestep 0, unless their entry is a mapping with `sigma`. Of those that have it, `noisy`, `timesteps`, `sigma` and `noise` can be read, such as `style.noisy`.",
    bad: withReference("  references: [style]\n", `mean(style.timesteps) * ${velocity}`),
    good: withReference(
      "  references:\n    - {source: style, sigma: 0.1}\n",
      `(1 - mean(style.timesteps)) * ${velocity}`,
    ),
  },
  {
    code: "LTX5095",
    slug: "noise-of-reference",
    title: "The noise or the level of a reference does not run over its tokens",
    explanation:
      "A reference has frames and tokens of its own. Its `sigma` is a number for each sample, or for each of its frames or tokens, which `per frame` and `per token` mean here; its `noise` is like its tokens.",
    bad: withReference("  references:\n    - {source: style, sigma: 0.1 * float(first_frame)}\n", velocity),
    good: withReference(
      "  references:\n    - {source: style, sigma: 0.1 * uniform(0, 1) per frame}\n",
      velocity,
    ).replace("0.1 * uniform(0, 1) per frame", '"uniform(0, 0.1) per frame"'),
  },
  {
    code: "LTX5096",
    slug: "noise-without-level",
    title: "A reference has noise but no level",
    explanation:
      "The tokens of a reference become `(1 - sigma) * clean + sigma * noise`. Without `sigma` they stay clean, and `noise` would have no effect.",
    bad: withReference("  references:\n    - {source: style, noise: randn()}\n", velocity),
    good: withReference("  references:\n    - {source: style, sigma: 0.1, noise: randn()}\n", velocity),
  },
] as const satisfies readonly Entry[];
