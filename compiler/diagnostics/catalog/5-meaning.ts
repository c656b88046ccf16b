import type { Entry } from "./entry.ts";

const sources =
  "sources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\n";
const strategy = (video: string, term: string): string =>
  `strategy: example\n${sources}video:\n  latents: latents\n${video}loss:\n  velocity: ${term}\n`;
const velocity = "mse(video.prediction, video.target)";
const frozen = (keys: string): string =>
  `strategy: example\n${sources}  sound: {directory: sound, kind: audio_latents}\nvideo:\n  latents: latents\n  generate: false\n${keys}audio:\n  latents: sound\nloss:\n  velocity: mse(audio.prediction, audio.target)\n`;

/** What is well-formed and yet cannot be meant. */
export const entries = [
  {
    code: "LTX5001",
    slug: "cycle",
    title: "A value is defined by itself",
    explanation:
      "Bindings may stand in any order, but none may need its own value, also not by way of others. The finding shows the way round.",
    bad: "let:\n  a: b + 1\n  b: a * 2\n",
    good: "let:\n  a: 1\n  b: a * 2\n",
  },
  {
    code: "LTX5002",
    slug: "loss-over-kept",
    title: "A loss covers tokens that are kept clean",
    explanation:
      "Kept tokens enter the model without noise, so there is nothing to predict for them; a loss over them teaches the model to undo noise that is not there. Restrict the loss to generated tokens, or write `over all` if it is meant.",
    bad: strategy("  keep: first_frame\n", velocity),
    good: strategy("  keep: first_frame\n", `${velocity} over video.generated`),
  },
  {
    code: "LTX5003",
    slug: "unused",
    title: "A name is never used",
    explanation:
      "A parameter, source or binding that nothing reads is most often a slip elsewhere. An unused source would still be loaded for every sample.",
    bad: strategy("  fps: 24\nlet:\n  half: 0.5\n", velocity),
    good: strategy("  fps: 24\n", velocity),
  },
  {
    code: "LTX5004",
    slug: "no-loss-for-modality",
    title: "A generated modality has no loss term",
    explanation:
      "The modality is noised and the model predicts it, but no term looks at the prediction, so nothing is learnt about it. Add a term, or freeze the modality with `generate: false`.",
    bad: strategy("", "mean(video.clean^2)"),
    good: strategy("", velocity),
  },
  {
    code: "LTX5005",
    slug: "frozen-modality",
    title: "A frozen modality has neither noise nor target",
    explanation:
      "Under `generate: false` a modality is clean and only conditions the other one. Keys about noise and targets mean nothing there, and a loss cannot read its prediction.",
    bad: frozen("  keep: first_frame\n"),
    good: frozen(""),
  },
  {
    code: "LTX5006",
    slug: "keep-and-noise-mask",
    title: "`keep` and `noise_mask` are both given",
    explanation: "They say the same in opposite ways: `noise_mask: m` is short for `keep: not m`. Give one of them.",
    bad: strategy("  keep: first_frame\n  noise_mask: not first_frame\n", `${velocity} over video.generated`),
    good: strategy("  keep: first_frame\n", `${velocity} over video.generated`),
  },
  {
    code: "LTX5007",
    slug: "nothing-generated",
    title: "No modality is generated",
    explanation: "Every modality is frozen, so the model has nothing to predict and there is nothing to train.",
    bad: `strategy: example\n${sources}video:\n  latents: latents\n  generate: false\n`,
    good: strategy("", velocity),
  },
  {
    code: "LTX5008",
    slug: "which-text",
    title: "It is not clear which text a modality attends to",
    explanation:
      "A modality attends to the only source of kind `text_embeddings`. Where there is none, or more than one, the strategy must add or choose one.",
    bad: "sources:\n  latents: {directory: latents, kind: video_latents}\nvideo:\n  latents: latents\n",
    good: `${sources}video:\n  latents: latents\n`,
  },
  {
    code: "LTX5009",
    slug: "directory-leaves-root",
    title: "A directory leads out of the data root",
    explanation:
      "Directories are relative to `data.preprocessed_data_root` and stay below it, so that a strategy from elsewhere cannot read other files of the machine. `..` and absolute paths are refused.",
    bad: 'params:\n  folder: {type: string, default: ../secret}\nsources:\n  masks: {directory: "${folder}", kind: video_latents}\n',
    good: 'params:\n  folder: {type: string, default: masks}\nsources:\n  masks: {directory: "${folder}", kind: video_latents}\n',
  },
  {
    code: "LTX5010",
    slug: "default-breaks-schema",
    title: "A default breaks the parameter's own rules",
    explanation:
      "The default does not meet the type, range or choices that the parameter states, so every run that does not set it would be refused.",
    bad: "params:\n  threshold: {type: number, default: 2, maximum: 1}\n",
    good: "params:\n  threshold: {type: number, default: 0.5, maximum: 1}\n",
  },
  {
    code: "LTX5013",
    slug: "missing-denoised",
    title: "`denoised` must be written, too",
    explanation:
      "The clean estimate `noisy - timesteps * prediction` belongs to the default path and target. With a `noisy` or `target` of its own, a modality whose `denoised` is used must say how it is calculated.",
    bad: strategy("  target: clean\n", "mse(video.denoised, video.clean)"),
    good: strategy("  target: clean\n  denoised: prediction\n", "mse(video.denoised, video.clean)"),
  },
  {
    code: "LTX5014",
    slug: "wrong-source",
    title: "A source of another kind is needed",
    explanation:
      "`latents` of video names a source of kind `video_latents`, of audio one of kind `audio_latents`; `text` names one of kind `text_embeddings`.",
    bad: `${sources}video:\n  latents: conditions\n`,
    good: `${sources}video:\n  latents: latents\n`,
  },
  {
    code: "LTX5015",
    slug: "prediction-too-early",
    title: "The model's input cannot depend on its output",
    explanation:
      "Noise, kept tokens, targets and the like exist before the model runs, the prediction only after it. What reads `prediction` belongs in `denoised` and in `loss`.",
    bad: strategy("  keep: mean(prediction, channel) > 0\n", `${velocity} over video.generated`),
    good: strategy("  keep: mean(clean, channel) > 0\n", `${velocity} over video.generated`),
  },
  {
    code: "LTX5016",
    slug: "reference-twice",
    title: "A reference is listed twice, or is the target itself",
    explanation:
      "A reference has a grid and tokens of its own, `token:<its name>`, so each entry needs a source of its own. Two sources may share a directory.",
    bad: strategy("  references: [latents]\n", velocity),
    good: strategy("  references: [ref]\n", velocity).replace(
      "video:\n",
      "  ref: {directory: reference_latents, kind: video_latents}\nvideo:\n",
    ),
  },
  {
    code: "LTX5017",
    slug: "outside-0-to-1",
    title: "A probability or noise level is not between 0 and 1",
    explanation:
      "`with probability p` is the share of samples (for references, of batches) for which an entry counts, and `sigma` is the share of noise: both lie between 0 and 1.",
    bad: strategy("  keep: first_frame with probability 10\n", `${velocity} over video.generated`),
    good: strategy("  keep: first_frame with probability 0.1\n", `${velocity} over video.generated`),
  },
  {
    code: "LTX5018",
    slug: "no-such-strategy",
    title: "The strategy to extend is not there",
    explanation:
      "`extends` takes the name of a built-in strategy, or the path of a .strategy file, relative to the file that writes it.",
    bad: "strategy: example\nextends: text_to_vdeo\n",
    good: "strategy: example\nextends: text_to_video\n",
  },
  {
    code: "LTX5019",
    slug: "extends-itself",
    title: "A strategy extends itself",
    explanation: "Two or more files extend each other in a round, so that none of them has a beginning.",
    bad: "strategy: example\nextends: ./example.strategy\n",
    good: "strategy: example\nextends: text_to_video\n",
  },
  {
    code: "LTX5020",
    slug: "nothing-to-remove",
    title: "There is nothing to remove",
    explanation:
      "In a file that extends another one, `key: null` removes what it inherits there. The base has no such key, so the line does nothing; most often its name is mistyped.",
    bad: "strategy: example\nextends: text_to_video\nvideo:\n  kep: null\n",
    good: "strategy: example\nextends: text_to_video\nvideo:\n  keep: null\n",
  },
  {
    code: "LTX5021",
    slug: "not-its-target",
    title: "The prediction is compared with something else than its target",
    explanation:
      "`target` says what the prediction should be, by default the velocity `noise - clean`. A loss that compares the prediction itself with the noise, the clean or the noisy tokens, or with the target's negative, teaches the model another thing than the file says.",
    bad: strategy("", "mse(video.prediction, video.noise)"),
    good: strategy("  target: noise\n", "mse(video.prediction, video.target)"),
  },
  {
    code: "LTX5022",
    slug: "attention-without-key",
    title: "Attention does not depend on the key",
    explanation:
      "A mask of attention says for each query which keys it may see. One that is the same for every key lets a query see all or nothing, and a query that sees nothing ends the run.",
    bad: strategy("  attention: frame_index > 0\n", velocity),
    good: strategy("  attention: frame_index >= key(frame_index)\n", velocity),
  },
  {
    code: "LTX5023",
    slug: "fps-with-references",
    title: "Frames per second are given beside references",
    explanation:
      "The times of target and references must fit together, and each reference brings the frames per second of its file. Others for the target alone would move the two apart.",
    bad: strategy("  references: [ref]\n  fps: 24\n", velocity).replace(
      "video:\n",
      "  ref: {directory: reference_latents, kind: video_latents}\nvideo:\n",
    ),
    good: strategy("  references: [ref]\n", velocity).replace(
      "video:\n",
      "  ref: {directory: reference_latents, kind: video_latents}\nvideo:\n",
    ),
  },
] as const satisfies readonly Entry[];
