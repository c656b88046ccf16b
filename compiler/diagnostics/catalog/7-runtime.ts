import type { Entry } from "./entry.ts";

const config = (...lines: string[]) =>
  ["model: {model_path: ltx.safetensors}", "data: {preprocessed_data_root: data}", "lora: {rank: 8}", ...lines].join(
    "\n",
  );

/** What goes wrong while training. */
export const entries = [
  {
    code: "LTX7001",
    slug: "loss-not-finite",
    title: "A loss is not a number any more",
    explanation:
      "The loss of the named samples is infinite or NaN. The weights were not changed by this step, and those of the step before are " +
      "saved. In the first step the reason is in the data, the loss or the base model's weights, later usually a learning rate that is too high.",
    bad: config("optimization: {learning_rate: 1e3}"),
    good: config("optimization: {learning_rate: 1e-4}"),
  },
  {
    code: "LTX7002",
    slug: "gradient-not-finite",
    title: "The gradient is not a number any more",
    explanation:
      "The loss is finite and its gradient is not: a division by nearly zero, a square root of zero, or numbers too large for " +
      "float32. The weights were not changed by this step, and those of the step before are saved.",
    bad: config("optimization: {learning_rate: 1e3}"),
    good: config("optimization: {learning_rate: 1e-4}"),
  },
  {
    code: "LTX7003",
    slug: "nothing-to-learn",
    title: "Every token of a sample is kept",
    explanation:
      "What the strategy keeps covers the whole sample, for example the first frame of a video that has one frame, or a mask that is " +
      "empty. No token is noised, so its loss is 0 and the model learns nothing from it. This is said once per run.",
    bad: config("training_strategy: {name: inpainting, mask_threshold: 1}"),
    good: config("training_strategy: {name: inpainting, mask_threshold: 0.5}"),
  },
  {
    code: "LTX7004",
    slug: "metrics-not-written",
    title: "A file of metrics can not be written any more",
    explanation: "Usually the disk is full. The training goes on; its metrics are only shown, not kept.",
    bad: config("output_dir: /full-disk/outputs"),
    good: config("output_dir: outputs"),
  },
  {
    code: "LTX7005",
    slug: "loss-over-kept-at-run",
    title: "A loss term covers kept tokens",
    explanation:
      "Kept tokens enter the model clean, with timestep 0, and yet this term asks the model for their noise. The compiler refuses a " +
      "strategy of which this is certain; here it depends on the data. Restrict the term to the generated tokens, or write " +
      "`over all` if it is meant. This is said once per term.",
    bad: "loss:\n  inpaint: mse(video.prediction, video.target) over inpaint   # while keep also lists first_frame",
    good: "loss:\n  inpaint: mse(video.prediction, video.target) over video.generated",
  },
  {
    code: "LTX7006",
    slug: "metadata-changes",
    title: "The checkpoint's metadata depends on the sample",
    explanation:
      "A strategy's `metadata` is written once into the checkpoint, for pipelines that use the trained weights. Samples of which it " +
      "says different things, for example references of different scales, would leave the file wrong for some of them.",
    bad: 'metadata:\n  rows: "${latents.height}"   # while the samples have different heights',
    good: 'metadata:\n  factor: "${latents.height / ref.height}"   # the same for all samples',
  },
  {
    code: "LTX7040",
    slug: "output-lost",
    title: "Nothing can be shown any more",
    explanation:
      "What reads stdout or stderr has ended, or has left 16 MiB unread, the terminal was closed, or the disk of the file behind it is full. " +
      "The training goes on without this output to its end; `metrics.jsonl` and the other files in `output_dir` have everything. " +
      "Where stdout was lost the run ends with 1, since nobody has seen how it ended.",
    bad: "ltxc run --json | head",
    good: "ltxc run --json > events.jsonl",
  },
  {
    code: "LTX7041",
    slug: "ended-by-error",
    title: "An error has ended the training, and the weights were saved",
    explanation:
      "The error is printed after this. The weights and the state of the last step were saved before the end, without deleting an " +
      "earlier checkpoint. Correct what the error says and go on with `ltxc run --resume`.",
    bad: "ltxc run",
    good: "ltxc run --resume",
  },
  {
    code: "LTX7042",
    slug: "thread-ended",
    title: "The thread that computes has ended",
    explanation:
      "ONNX Runtime runs on a thread of its own, which holds the weights. It has ended, usually because memory ran out, and the steps since " +
      "the last checkpoint are lost. The finding names that checkpoint.",
    bad: config("optimization: {batch_size: 64}"),
    good: config("optimization: {batch_size: 1, gradient_accumulation_steps: 64}"),
  },
  {
    code: "LTX7043",
    slug: "model-changed",
    title: "The model's file was changed during the run",
    explanation:
      "The engine `onnx` does not copy the base model but reads it from its file. The file was replaced, cut off or written to, so further " +
      "steps would train on another model. The weights so far are saved. Put the file back and go on with `ltxc run --resume`. Where the file was cut off " +
      "while a step was reading it, nothing can be saved any more: the run ends with the signal SIGBUS (exit code 135 in shells), and the finding names the last checkpoint.",
    bad: "cp other.safetensors ltx.safetensors   # while `ltxc run` trains with it",
    good: "cp other.safetensors another-name.safetensors",
  },
  {
    code: "LTX7050",
    slug: "torch-not-usable",
    title: "There is no usable PyTorch where it was said to be",
    explanation:
      "`runtime.torch` names a folder: that of the Python package `torch`, or the environment that it is installed in. There is none, or " +
      "its version is not one of 2.10 and later, before 3, or the files belong to another user, whose programs are not run. Without the " +
      "setting PyTorch is looked for in the active environment, by Python on PATH, and where `ltxc install torch` puts it.",
    bad: "runtime:\n  engine: torch\n  torch: ~/old-env   # with PyTorch 1.13",
    good: "runtime:\n  engine: torch\n  torch: ~/ltx-env   # with PyTorch 2.13",
  },
  {
    code: "LTX7010",
    slug: "attention-without-keys",
    title: "A token may attend to nothing",
    explanation:
      "A row of `attention` is false or 0 for every key, so the token of this row has nothing to take a mean of. What would come out is " +
      "no attention at all but the mean over all tokens, which is what the mask should prevent. The weights were not changed by this step.",
    bad: "video:\n  attention: key(from(depth))   # with no key at all where `depth` was not drawn",
    good: "video:\n  attention: not (key(from(depth)) and hole)",
  },
  {
    code: "LTX7030",
    slug: "step-failed",
    title: "A step failed on the device",
    explanation:
      "What computes the step, ONNX Runtime say, gave up; the message names the line of the strategy or the part of the model, and the " +
      "reason. Mostly it is memory: longer clips, larger batches and higher ranks need more. `ltxc plan` tells how much beforehand. The " +
      "weights were not changed by this step.",
    bad: "optimization:\n  batch_size: 16   # of clips that take 4 GiB each, on a machine of 32 GiB",
    good: "optimization:\n  batch_size: 1\n  gradient_accumulation_steps: 16\n  enable_gradient_checkpointing: true",
  },
  {
    code: "LTX7020",
    slug: "evaluation-off-level",
    title: "Evaluations are not at the noise levels that were asked for",
    explanation:
      "An evaluation replaces the noise levels that a strategy draws by those of `evaluation.sigmas`. This strategy computes them from " +
      "something else, such as `uniform()`, so it is evaluated at its own. Results can still be compared from step to step, since all " +
      "draws of an evaluation are fixed; what is filed under one level is not the loss at that level.",
    bad: "video:\n  latents: latents\n  sigma: uniform(0.2, 0.8)",
    good: "video:\n  latents: latents\n  sigma: sampled()",
  },
  {
    code: "LTX7130",
    slug: "nothing-trained",
    title: "The gradient stays 0",
    explanation:
      "In 20 optimizer steps in a row, or in every step of a shorter run, the gradient of all trained weights was exactly 0. The weights " +
      "stay as they are however long the run takes, so it ends with an error. Either every token of the samples is kept, or the loss does not " +
      "depend on the prediction where it is. What was saved before stays.",
    bad: "loss:\n  velocity: clamp(mse(video.prediction, video.target), 0, 0.01)",
    good: "loss:\n  velocity: mse(video.prediction, video.target)",
  },
  {
    code: "LTX7131",
    slug: "data-out-of-range",
    title: "A file holds numbers outside of the declared range",
    explanation:
      "The strategy declares by `range` between which numbers those of a source lie, and this file has another one. Scores in percent where " +
      "shares are meant, or features that were not normalised, would train with weights that nobody wanted. Correct the declaration or the files.",
    bad: "sources:\n  score: {directory: scores, kind: tensor, key: score, axes: [], range: [0, 1]}   # the file holds 87",
    good: "sources:\n  score: {directory: scores, kind: tensor, key: score, axes: [], range: [0, 100]}",
  },
  {
    code: "LTX7132",
    slug: "share-off",
    title: "On average a value is not what is expected",
    explanation:
      "`about` in `expect` says what a value is on average: over its entries, over the samples and over many draws, which `ltxc test` makes. It may be off by what `within` says, or if that is left out by a tenth of the number, at least 0.01, and besides by four standard errors of the mean, so that chance alone hardly ever breaks it. What is drawn, most often a probability, is then another than was meant.",
    bad: "video:\n  keep: first_frame with probability 0.9\nexpect:\n  - any(video.keep) about 0.1",
    good: "video:\n  keep: first_frame with probability 0.1\nexpect:\n  - any(video.keep) about 0.1",
  },
] as const satisfies readonly Entry[];
