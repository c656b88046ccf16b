import type { Entry } from "./entry.ts";

const strategy = (weights: string, text = "insert(conditions, concept)", passes = ""): string =>
  `strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\n${weights}${passes}video:\n  latents: latents\n  text: ${text}\nloss:\n  video: mse(video.prediction, video.target)\n`;
const concept = (more = "like: conditions"): string => `weights:\n  concept: {axes: [text: 8, hidden], ${more}}\n`;
const good = strategy(concept());

/** Trained tensors of the strategy's own. */
export const entries = [
  {
    code: "LTX5067",
    slug: "axes-of-weight",
    title: "The axes of a weight are not those of a caption's tokens",
    explanation:
      "A weight is a number of tokens that are put into a caption: `axes: [text: 8, hidden]`. `text: 8` says how many tokens there are, from 1 to 1024, and `hidden` is the width of a token, which the model decides.",
    bad: strategy("weights:\n  concept: {axes: [hidden, text], like: conditions}\n"),
    good,
  },
  {
    code: "LTX5068",
    slug: "like-of-weight",
    title: "`like` of a weight names no text",
    explanation:
      "The tokens of a weight are as wide as those of the captions that `like` names, a source of kind `text_embeddings`.",
    bad: strategy(concept("like: latents")),
    good,
  },
  {
    code: "LTX5069",
    slug: "init-of-weight",
    title: "`init` is neither `randn(s)` nor a number",
    explanation:
      "A weight begins with normal numbers of the standard deviation s, `init: randn(0.02)`, which is also what it does without `init`, or with the same number everywhere, `init: 0`. What is drawn depends on the run's seed and the weight's name alone.",
    bad: strategy(concept("like: conditions, init: uniform()")),
    good: strategy(concept("like: conditions, init: randn(0.01)")),
  },
  {
    code: "LTX5070",
    slug: "untrained-weight",
    title: "Nothing trains a weight",
    explanation:
      "What a pass with `adapters: false` predicts is constant to the gradient. A weight that is inserted only there never changes. Insert it in the `text` of the step's own call, or of a pass with the trained weights.",
    bad: strategy(
      concept(),
      "conditions",
      "passes:\n  base: {adapters: false, video: {text: 'insert(conditions, concept)'}}\n",
    ).replace("video.target)", "base.video.prediction)"),
    good,
  },
  {
    code: "LTX5071",
    slug: "misplaced-insert",
    title: "`insert` is used in another way",
    explanation:
      "`insert(conditions, concept)` is a text: that of the source `conditions`, with the tokens of the weight `concept` in front. It is written where a text is named, in `text` of a modality. Its first argument is a source of kind `text_embeddings`, all others are declared under `weights`.",
    bad: strategy(concept(), "insert(conditions)"),
    good,
  },
] as const satisfies readonly Entry[];
