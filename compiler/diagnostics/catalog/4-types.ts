import type { Entry } from "./entry.ts";
import { decoder, judge, judged, pixels, strategy } from "./networks.ts";

const latents = "sources:\n  latents: {directory: latents, kind: video_latents}\n";
const video = `${latents}video:\n  latents: latents\n`;
const loss = (term: string): string => `${video}loss:\n  velocity: ${term}\n`;
const binding = (value: string): string => `${latents}let:\n  value: ${value}\n`;
const features = `${latents}  dino: {directory: dino, kind: tensor, key: x, axes: [token:video, feature]}\nvideo:\n  latents: latents\nloss:\n  velocity: `;
const drawing = (weight: string): string =>
  `language: 2\n${latents}  conditions: {directory: conditions, kind: text_embeddings}\nlet:\n  ${weight}\nvideo:\n  latents: latents\nloss:\n  video: weight * mse(video.prediction, video.target)\n`;
const encoders = `${latents}  dino: {directory: dino, kind: tensor, key: x, axes: [token:video, feature]}\n  clip: {directory: clip, kind: tensor, key: x, axes: [token:video, feature]}\noutputs:\n  middle: {tap: block 1, modality: video}\n  guess: {linear: middle, features: 8}\n  wide: {linear: middle, features: 16}\nvideo:\n  latents: latents\nloss:\n  velocity: mse(video.prediction, video.target)\n`;
const modes = (weight: string): string =>
  `${latents}  conditions: {directory: conditions, kind: text_embeddings}\nparams:\n  mode: {type: string, enum: [soft, hard], default: soft}\nvideo:\n  latents: latents\nlet:\n  weight: ${weight}\nloss:\n  velocity: weight * mse(video.prediction, video.target)\n`;
const tapped = (type: string): string =>
  `${latents}  conditions: {directory: conditions, kind: text_embeddings}\nparams:\n  layer: {type: ${type}}\noutputs:\n  middle: {tap: "block \${layer}", modality: video}\nvideo:\n  latents: latents\nloss:\n  video: mse(video.prediction, video.target)\n  small: mean(middle^2)\n`;
const listed = (schema: string): string =>
  `strategy: example\n${latents}  conditions: {directory: conditions, kind: text_embeddings}\nparams:\n  weights: {type: array, items: {type: number}, ${schema}default: [1, 2]}\nvideo:\n  latents: latents\nloss:\n  velocity: weights[1] * mse(video.prediction, video.target)\n`;
const ranged = (range: string): string =>
  `${latents}  conditions: {directory: conditions, kind: text_embeddings}\n  score: {directory: scores, kind: tensor, key: score, axes: [], range: ${range}}\nvideo:\n  latents: latents\nloss:\n  video: score * mse(video.prediction, video.target)\n`;
const both = (keep: string): string =>
  `sources:\n  latents: {directory: latents, kind: video_latents}\n  speech: {directory: speech, kind: audio_mask}\n  hole: {directory: hole, kind: video_mask}\nvideo:\n  latents: latents\n  keep: ${keep}\n`;

/** Axes, masks and numbers: what fits together. */
export const entries = [
  {
    code: "LTX4001",
    slug: "not-a-mask",
    title: "A number stands where a mask belongs",
    explanation:
      "`keep`, `and`, `or`, `not`, the condition of `if` and the like take masks: true or false for each element. Numbers are never read as masks in silence; compare them with a threshold.",
    bad: `${video}  keep: mean(tokens(latents), channel)\n`,
    good: `${video}  keep: mean(tokens(latents), channel) > 0.5\n`,
  },
  {
    code: "LTX4016",
    slug: "outside-attention",
    title: "`key` and `from` stand outside of `attention`",
    explanation:
      "In `attention` both axes run over references and target; `key(x)` turns a value to the side of the keys and `from(source)` marks the tokens of a reference. Elsewhere values run over the target's tokens alone, and there is no such side.",
    bad: `${video}  keep: key(first_frame)\n`,
    good: `${video}  attention: frame_index >= key(frame_index)\n`,
  },
  {
    code: "LTX4002",
    slug: "not-a-number",
    title: "A mask stands where a number belongs",
    explanation:
      "Arithmetic and comparisons take numbers. `float(m)` turns a mask into 1 where it is true and 0 where it is false.",
    bad: binding("2 * (latents > 0)"),
    good: binding("2 * float(latents > 0)"),
  },
  {
    code: "LTX4003",
    slug: "wrong-arguments",
    title: "A function is called with the wrong arguments",
    explanation:
      "Each function takes a fixed number of arguments, in order and without names. A function that is only named, without parentheses, is not a value.",
    bad: loss("mse(video.prediction)"),
    good: loss("mse(video.prediction, video.target)"),
  },
  {
    code: "LTX4004",
    slug: "video-meets-audio",
    title: "Video tokens meet audio tokens",
    explanation:
      "Axes are aligned by name, and `token:video` is not `token:audio`: they differ in number and meaning. Reduce one side over its tokens before the two are combined.",
    bad: `sources:\n  latents: {directory: latents, kind: video_latents}\n  sound: {directory: sound, kind: audio_latents}\nlet:\n  value: tokens(latents) + tokens(sound)\n`,
    good: `sources:\n  latents: {directory: latents, kind: video_latents}\n  sound: {directory: sound, kind: audio_latents}\nlet:\n  value: tokens(latents) + mean(tokens(sound))\n`,
  },
  {
    code: "LTX4005",
    slug: "missing-axis",
    title: "A value lacks an axis",
    explanation:
      "A function works along an axis that the value does not have, for instance `channel` after the mean over `channel`, or `tokens` of a value that lies on no grid.",
    bad: binding("mean(mean(latents, channel), channel)"),
    good: binding("mean(mean(latents, channel), frame)"),
  },
  {
    code: "LTX4006",
    slug: "not-a-value",
    title: "A name is no value of an expression",
    explanation:
      "Texts, lists and modalities have names, but expressions calculate with numbers, masks and tensors only. Take an item of a list, a field of a modality; a text parameter serves in `${…}`.",
    bad: loss("mse(video, video.target)"),
    good: loss("mse(video.prediction, video.target)"),
  },
  {
    code: "LTX4007",
    slug: "wrong-modality",
    title: "A value belongs to the other modality",
    explanation:
      "A key of `video` needs a value over video tokens, a key of `audio` one over audio tokens. The label shows where the value gets its tokens.",
    bad: both("speech > 0.5"),
    good: both("hole > 0.5"),
  },
  {
    code: "LTX4008",
    slug: "loss-not-per-sample",
    title: "A loss term is not one number for each sample",
    explanation:
      "Every term has the type `f32[batch]`, so that samples can be weighed and logged one by one. `mse`, `mae` and the like reduce by themselves; other values need a reduction such as `mean(x)`.",
    bad: loss("square(video.prediction - video.target)"),
    good: loss("mean(square(video.prediction - video.target))"),
  },
  {
    code: "LTX4009",
    slug: "misplaced-over",
    title: "`over` does not follow a loss",
    explanation:
      "`over m` restricts the call before it, which must be a loss such as `mse`. Around anything else write the mean out, or choose a loss.",
    bad: loss("mean(square(video.prediction)) over video.generated"),
    good: loss("mse(video.prediction, 0) over video.generated"),
  },
  {
    code: "LTX4010",
    slug: "weight-per-sample",
    title: "`over` cannot weigh whole samples",
    explanation:
      "The weights after `over` are normalised within each sample, so one number for a sample cancels out. Written in front of the loss it has its effect.",
    bad: loss("mse(video.prediction, video.target) over snr(video.sigma)"),
    good: loss("snr(video.sigma) * mse(video.prediction, video.target)"),
  },
  {
    code: "LTX4011",
    slug: "not-a-function",
    title: "Something is called that is no function",
    explanation: "Parameters, sources and `let` bindings without arguments are values; they stand without parentheses.",
    bad: "let:\n  half: 0.5\n  value: half() * 2\n",
    good: "let:\n  half: 0.5\n  value: half * 2\n",
  },
  {
    code: "LTX4012",
    slug: "no-items",
    title: "Something has no items",
    explanation:
      "Only parameters of type `array` are addressed by position. The parts of a tensor are addressed by the names of its axes and by masks such as `prefix(2)` and `crop(0, 0, 64, 64)`.",
    bad: binding("latents[0]"),
    good: "params:\n  region: {type: array, items: {type: number}, default: [0, 64]}\nlet:\n  value: region[0]\n",
  },
  {
    code: "LTX4013",
    slug: "misplaced-per",
    title: "`per` does not follow a draw, or does not fit it",
    explanation:
      "`per sample`, `per batch`, `per element` and `per` with axes say over what a draw such as `randn()` runs. Other values have their axes by themselves. `per element` needs a modality around it.",
    bad: binding("latents per sample"),
    good: binding("uniform(0, 1) per sample"),
  },
  {
    code: "LTX4014",
    slug: "not-known-before",
    title: "A number must be known before the step runs",
    explanation:
      "Frame rates, the edges of `crop`, radii and the probability of a reference decide positions and shapes, which a step knows before it calculates: they are made of numbers, parameters and sizes, not of tensors.",
    bad: `${video}  fps: mean(tokens(latents))\n`,
    good: `${video}  fps: 24\n`,
  },
  {
    code: "LTX4015",
    slug: "axis-too-many",
    title: "A value has an axis that does not belong here",
    explanation:
      "`keep` is one mask value for each token, `sigma` one number for each sample, and so on. Another axis, such as `channel` in a mask, must be reduced first, since the compiler cannot guess how.",
    bad: `${video}  keep: tokens(latents) > 0.5\n`,
    good: `${video}  keep: mean(tokens(latents), channel) > 0.5\n`,
  },
  {
    code: "LTX4020",
    slug: "joined-axis",
    title: "A joined value does not fit",
    explanation:
      "`concat(a, b, axis)` makes an axis twice as long. The result meets other values that were joined along the same axis, or none that have it; samples of the batch cannot be joined, since a loss is one number for each of them.",
    bad: loss("mse(concat(video.prediction, video.prediction, token), video.target)"),
    good: loss("mse(concat(video.prediction, video.noisy, token), concat(video.target, video.clean, token))"),
  },
  {
    code: "LTX4021",
    slug: "channels-of-different-kinds",
    title: "Channels, features and hidden values meet",
    explanation:
      "Values are matched by the names of their axes, so `channel`, `feature` and `hidden` are different axes: each entry of one would be combined with each entry of the other. A head under `outputs` turns hidden values into features.",
    bad: `${features}mse(video.prediction, dino)\n`,
    good: `${features}mse(mean(video.prediction, channel), mean(dino, feature))\n`,
  },
  {
    code: "LTX4022",
    slug: "never-this-value",
    title: "A parameter is compared with a value that it never has",
    explanation:
      "A parameter with `enum` has one of the values listed there. Compared with any other text or number, the result is the same in every run, so a branch would be dead. Texts stand in quotes; a name without them is the value of something else.",
    bad: modes('if mode == "sofft" then 0.5 else 1'),
    good: modes('if mode == "soft" then 0.5 else 1'),
  },
  {
    code: "LTX4023",
    slug: "text-without-values",
    title: "A text parameter that may be anything is compared with a text",
    explanation:
      "Without `enum` a run config may give any text, and a misspelt one would silently choose the other branch. With the values listed, both the strategy and the run config are checked against them.",
    bad: modes('if mode == "soft" then 0.5 else 1').replace(", enum: [soft, hard]", ""),
    good: modes('if mode == "soft" then 0.5 else 1'),
  },
  {
    code: "LTX4024",
    slug: "not-a-whole-number",
    title: "A block or a width is no whole number",
    explanation:
      '`tap: block ${layer}` and `features: "${size}"` take a parameter of `type: integer`. A head has at least one feature, so that its parameter needs a `minimum` of 1 or more; which blocks there are is checked against the checkpoint.',
    bad: tapped("number, default: 12"),
    good: tapped("integer, default: 12"),
  },
  {
    code: "LTX4025",
    slug: "no-axis-of-dft",
    title: "`dft` cannot run along an axis",
    explanation:
      "`dft` gives the frequencies along axes that the value has, such as `frame`, or `height` and `width`. Samples are separate, so `batch` is none of them, and what has been transformed has real and imaginary parts and is not transformed again: name all axes at once.",
    bad: loss("mean(dft(dft(video.prediction, height), width)^2)"),
    good: loss("mean(dft(video.prediction, height, width)^2)"),
  },
  {
    code: "LTX4026",
    slug: "compares-unlike",
    title: "A comparison of values over different axes",
    explanation:
      "In version 2 of the language, `mse mae huber charbonnier cosine_distance` take two values over the same axes, or a value and a number. Where one lacks an axis, each of its numbers would meet all along that axis, and the mean inside of the loss would hide it. Reduce the other value, or write the comparison out.",
    bad: `language: 2\n${loss("mse(video.prediction, mean(video.target, axis=channel))")}`,
    good: `language: 2\n${loss("mse(mean(video.prediction, axis=channel), mean(video.target, axis=channel))")}`,
  },
  {
    code: "LTX4027",
    slug: "range-reversed",
    title: "A range holds no number",
    explanation:
      "`range: [0, 1]` says between which numbers those of a source of kind `tensor` lie: `ltxc test` makes its data in it, and a run refuses files with others. The smaller number stands first.",
    bad: ranged("[1, 0]"),
    good: ranged("[0, 1]"),
  },
  {
    code: "LTX4028",
    slug: "features-of-others",
    title: "Features of two sources meet",
    explanation:
      "The features of a source of kind `tensor` are those of one encoder. The third number of one encoder has nothing to do with the third of another, even where both have as many, so a comparison of the two trains nothing that was meant. A head learns to give the features of a source, and each source has a head of its own.",
    bad: `${encoders}  same: cosine_distance(guess - dino, clip)\n`,
    good: `${encoders}  align: cosine_distance(guess, dino)\n  other: mean(clip) * mse(video.prediction, video.target)\n`,
  },
  {
    code: "LTX4029",
    slug: "features-of-another-width",
    title: "Heads or networks of different widths meet",
    explanation:
      "Values meet number by number along `feature`, so both have as many of them. How wide a head is says its `features`, and a network its last layer; how wide a source is, its files say, and `ltxc check train.yaml` compares both.",
    bad: `${encoders}  align: mse(guess, wide)\n`,
    good: `${encoders}  align: mse(mean(guess, feature), mean(wide, feature))\n`,
  },
  {
    code: "LTX4030",
    slug: "axes-of-pass",
    title: "A value of a pass has more axes than that of the step",
    explanation:
      "What a pass writes stands in the place of the step's own value, in everything that follows from it. So it runs over the same axes, or over some of them: where `video.sigma` is one level for each sample, that of a pass cannot be one for each frame.",
    bad: "strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\npasses:\n  later: {adapters: false, video: {sigma: sampled() per frame}}\nvideo:\n  latents: latents\nloss:\n  near: mse(video.prediction, later.video.prediction)\n",
    good: "strategy: example\nsources:\n  latents: {directory: latents, kind: video_latents}\n  conditions: {directory: conditions, kind: text_embeddings}\npasses:\n  later: {adapters: false, video: {sigma: sampled() per frame}}\nvideo:\n  latents: latents\n  sigma: sampled() per frame\nloss:\n  near: mse(video.prediction, later.video.prediction)\n",
  },
  {
    code: "LTX4058",
    slug: "no-such-item",
    title: "A list parameter never has this item",
    explanation:
      "`maxItems` says how many items a list has at most, and items are counted from 0: the second is `weights[1]`. Without a value there the loss would be NaN at the first step.",
    bad: listed("maxItems: 1, ").replace("[1, 2]", "[1]"),
    good: listed("minItems: 2, maxItems: 2, "),
  },
  {
    code: "LTX4059",
    slug: "maybe-no-such-item",
    title: "A list parameter may be too short",
    explanation:
      "A run config may give any list that the parameter's schema allows. With one that is too short the item would be missing, and the loss NaN at the first step. `minItems` refuses such lists when the run config is checked.",
    bad: listed(""),
    good: listed("minItems: 2, "),
  },
  {
    code: "LTX4031",
    slug: "pixels-meet-latents",
    title: "Pixels meet latent cells, or pixels of another grid",
    explanation:
      "What a video decoder gives lies on pixels, `f32[batch, rgb, pixel_frame, pixel_row, pixel_column]`. A latent cell stands for many pixels, so values over pixels meet only values over the same pixels, or numbers and values for each sample. Decode the other value, too, or reduce one of them first. Only behind `over`, masks and weights of cells meet pixels, which have those of their cells.",
    bad: strategy(decoder(), "mse(decode(video.denoised), video.clean)"),
    good: strategy(decoder(), pixels),
  },
  {
    code: "LTX4032",
    slug: "argument-of-network",
    title: "A network is given something that it does not take",
    explanation:
      "`ltx_video_decoder` takes latents of video or their tokens, `ltx_video_encoder` takes pixels, and a network of layers takes a value with one axis of channels (`channel`, `feature`, `hidden` or `rgb`), where it has convolutions over frames, rows and columns.",
    bad: strategy(decoder(), "mean(decode(video.sigma))"),
    good: strategy(decoder(), pixels),
  },
  {
    code: "LTX4033",
    slug: "two-widths-for-network",
    title: "A network is given values of two kinds",
    explanation:
      "The weights of a network fit one width: that of the latents' channels, of the model's stream (`hidden`), or of another axis. A network that is called with values of two kinds fits one of them at most.",
    bad:
      strategy(judge(), "mse(judge(video.denoised), mean(judge(middle), token))") +
      "outputs:\n  middle: {tap: block 1, modality: video}\n",
    good: strategy(judge(), judged),
  },
  {
    code: "LTX4040",
    slug: "not-of-samples",
    title: "`others` of what samples do not have",
    explanation:
      "`others(x)` adds the axis `other`: for each sample of the batch the values of all other samples, never its own. So `x` has a value for each sample, and is not a value of others already. Reduce `other` again, e.g. `mean(…, other)`.",
    bad: `${latents}video:\n  latents: latents\nloss:\n  velocity: mean(others(video.frame_index) * mean(video.prediction, channel))\n`,
    good: `${latents}video:\n  latents: latents\nloss:\n  velocity: mean(others(video.sigma) * mean(video.prediction))\n`,
  },
  {
    code: "LTX4041",
    slug: "assigned-unlike",
    title: "`assigned` of two values that are not alike",
    explanation:
      "`assigned(noise, clean)` gives the samples of a batch each other's noise, so that the sum of the squared distances between noise and clean tokens is smallest. Both are numbers with the same axes.",
    bad: `${latents}video:\n  latents: latents\n  noise: assigned(randn(), mean(clean, channel))\n`,
    good: `${latents}video:\n  latents: latents\n  noise: assigned(randn(), clean)\n`,
  },
  {
    code: "LTX4042",
    slug: "draw-without-axes",
    title: "A draw in `let` does not say its axes",
    explanation:
      "Under `noise`, `randn()` is a number for each element, and in a `let` of version 1 of the language one for each sample. So a name for the noise had too few numbers. In version 2 a `let` that the `noise` or `noisy` of one modality uses has a number for each element; any other says what it draws by `per`. `ltxc fmt --upgrade` writes it.",
    bad: drawing("weight: 1 + 0.1 * randn()"),
    good: drawing("weight: 1 + 0.1 * randn() per sample"),
  },
  {
    code: "LTX4050",
    slug: "axis-by-position",
    title: "An axis is given without its name",
    explanation:
      "In version 1 of the language `max(x, frame)` reduces and `max(x, frame_index)` compares, which one letter too many or few mixes up. Under `language: 2` the axes of reductions are named: `max(x, axis=frame)`, `mean(x, axis=frame, axis=channel)`. `ltxc fmt --upgrade` rewrites a file.",
    bad: `language: 2\n${loss("mean(mean((video.prediction - video.target)^2, channel))")}`,
    good: `language: 2\n${loss("mean(mean((video.prediction - video.target)^2, axis=channel))")}`,
  },
] as const satisfies readonly Entry[];
