import type { Entry } from "./entry.ts";

/** The settings that every run config has, and `lines`. */
const config = (...lines: string[]) =>
  ["model: {model_path: ltx.safetensors}", "data: {preprocessed_data_root: data}", "lora: {rank: 8}", ...lines].join(
    "\n",
  );
const loading = (path: string, ...lines: string[]) =>
  [
    `model: {model_path: ltx.safetensors, load_checkpoint: ${path}}`,
    "data: {preprocessed_data_root: data}",
    "lora: {rank: 8}",
    ...lines,
  ].join("\n");
/** A sample with these settings. */
const sampling = (...lines: string[]) =>
  config(
    [
      "validation:",
      "  samples:",
      "    - conditions_file: data/conditions/1.pt",
      ...lines.map((line) => `      ${line}`),
    ].join("\n"),
  );
const saved = "outputs/checkpoints/lora_weights_step_00250.safetensors";

/** What is wrong when a run is put together: its settings against the files, and checkpoints. */
export const entries = [
  {
    code: "LTX6301",
    slug: "batch-larger-than-data",
    title: "There are fewer samples than a batch holds",
    explanation:
      "Every batch is full: the samples left over at the end of a pass are dropped. With fewer samples than `batch_size` there would " +
      "be no batch at all.",
    bad: config("optimization: {batch_size: 64}"),
    good: config("optimization: {batch_size: 1}"),
  },
  {
    code: "LTX6302",
    slug: "no-size-fills-a-batch",
    title: "No size of samples fills a batch",
    explanation:
      "A batch holds samples of one size (latent frames, height and width, references and audio included), since their tensors are put " +
      "together. No size has as many samples as `batch_size` asks for.",
    bad: config("optimization: {batch_size: 64}"),
    good: config("optimization: {batch_size: 2}"),
  },
  {
    code: "LTX6303",
    slug: "missing-file",
    title: "A file that the run config names does not exist",
    explanation: "Relative paths start at the folder of the run config. `~` is the home folder.",
    bad: ["model: {model_path: missing.safetensors}", "data: {preprocessed_data_root: data}", "lora: {rank: 8}"].join(
      "\n",
    ),
    good: config(),
  },
  {
    code: "LTX6304",
    slug: "samples-skipped",
    title: "Samples that lack a file are not used",
    explanation:
      "Each sample needs a file of the same name in every source. Those of the first source without a counterpart elsewhere are left " +
      "out; the run goes on with the others.",
    bad: config("training_strategy: {name: inpainting, mask_latents_dir: some_masks}"),
    good: config("training_strategy: {name: inpainting, mask_latents_dir: mask_latents}"),
  },
  {
    code: "LTX6305",
    slug: "sizes-left-out",
    title: "Some sizes of samples do not fill a batch",
    explanation:
      "A batch holds samples of one size. Those of the named sizes are fewer than `batch_size`, so they never come up in training. Lower " +
      "`batch_size`, raise `gradient_accumulation_steps` instead, or add samples of these sizes.",
    bad: config("optimization: {batch_size: 8}"),
    good: config("optimization: {batch_size: 2, gradient_accumulation_steps: 4}"),
  },
  {
    code: "LTX6306",
    slug: "nothing-left-to-do",
    title: "The resumed run has already done all its steps",
    explanation:
      "`optimization.steps` counts from the very beginning, not from the checkpoint on. To train on, write a larger number; to begin " +
      "again from these weights, write `checkpoints: {no_resume: true}` and another `output_dir`.",
    bad: loading(saved, "optimization: {steps: 250}"),
    good: loading(saved, "optimization: {steps: 500}"),
  },
  {
    code: "LTX6307",
    slug: "no-such-checkpoint",
    title: "The weights to begin with do not exist",
    explanation:
      "`model.load_checkpoint` is a `.safetensors` file, or a folder in which the file `*step_*.safetensors` with the highest number " +
      "is taken.",
    bad: loading("outputs/checkpoints/training_state_step_00250.pt"),
    good: loading(saved),
  },
  {
    code: "LTX6308",
    slug: "no-weights-in-folder",
    title: "The folder to begin with holds no weights",
    explanation:
      "No `*step_*.safetensors` lies in the folder of `model.load_checkpoint` or below it. The run starts with new adapters, as the " +
      "official trainer does.",
    bad: loading("outputs/empty"),
    good: loading(saved),
  },
  {
    code: "LTX6309",
    slug: "not-resumed",
    title: "The weights are loaded, but the run starts at step 0",
    explanation:
      "A run goes on where it stood when the training state beside the weights can be read. States of the official trainer are not " +
      "read in this version.",
    bad: loading("lora.safetensors"),
    good: loading("lora.safetensors", "checkpoints: {no_resume: true}"),
  },
  {
    code: "LTX6310",
    slug: "adapters-differ",
    title: "The loaded weights cover other layers than this run trains",
    explanation:
      "Adapters that the file lacks start new; adapters that only the file has are not used. That is right when `target_modules` was " +
      "changed on purpose.",
    bad: loading(saved).replace("{rank: 8}", "{rank: 8, target_modules: [to_k]}"),
    good: loading(saved),
  },
  {
    code: "LTX6311",
    slug: "adapters-do-not-fit",
    title: "The loaded weights do not fit the model",
    explanation:
      "Shapes differ, or the file has none of the layers that the run trains. The usual reasons are another base model and other " +
      "`target_modules`.",
    bad: loading("lora_of_a_smaller_model.safetensors"),
    good: loading(saved),
  },
  {
    code: "LTX6312",
    slug: "moments-restart",
    title: "The run is resumed without the optimizer's memory",
    explanation:
      "A minimal training state holds the step alone. Noise, order of the data and learning rate go on as they would have; AdamW's " +
      "running means start anew, and the weights are those of the file, rounded to its precision. With " +
      "`checkpoints: {save_training_state: full}` a resumed run equals one that was never interrupted.",
    bad: loading(saved, "checkpoints: {save_training_state: minimal}"),
    good: loading(saved, "checkpoints: {save_training_state: full}"),
  },
  {
    code: "LTX6313",
    slug: "heads-start-anew",
    title: "The strategy's heads start anew",
    explanation:
      "The trainable heads of a strategy's `outputs`, and its `weights`, are saved in `heads_00250.safetensors` next to the weights of the same step, and loaded " +
      "with them. They start anew where this file is missing, or where the strategy's `outputs` or `weights` were changed since.",
    bad: loading("moved/lora_weights_step_00250.safetensors"),
    good: loading(saved),
  },
  {
    code: "LTX6314",
    slug: "another-run",
    title: "The training state is that of another run",
    explanation:
      "Draws, the order of the data and the learning rate follow from the settings and the step. With another strategy, data set, " +
      "optimizer, schedule, seed, rank, alpha or choice of targets, or with other contents of its data files, the rest of a run would not fit its beginning, so that is refused. " +
      "`ltxc run --resume-anyway` (`runtime: {resume_anyway: true}`) goes on all the same; `checkpoints: {no_resume: true}` takes the " +
      "weights and begins at step 0, in another `output_dir`.",
    bad: loading(saved, "seed: 43"),
    good: loading(saved, "seed: 42"),
  },
  {
    code: "LTX6320",
    slug: "all-held-out",
    title: "No sample is left to train on",
    explanation:
      "`evaluation.samples` of the data set are held out: they are evaluated and never trained on. They have to be fewer than the " +
      "samples there are.",
    bad: config("evaluation: {samples: 1000}"),
    good: config("evaluation: {samples: 4}"),
  },
  {
    code: "LTX6330",
    slug: "sample-size",
    title: "A sample's size does not divide into latent cells, or is too large",
    explanation:
      "A latent cell covers a square of pixels, and all latent frames but the first cover several frames, for LTX-2 32 pixels and 8 frames. Width and height of `video_dims` are multiples of the one, frames are a multiple of the other and 1. A sample has at most 4,194,304 tokens.",
    bad: sampling("video_dims: [100, 64, 9]"),
    good: sampling("video_dims: [96, 64, 9]"),
  },
  {
    code: "LTX6331",
    slug: "sample-condition-size",
    title: "A condition does not fit its sample",
    explanation:
      "Conditions are latents, which can not be scaled. They have the height and width of the sample in latent cells, or the fraction of it that a reference declares, and are long enough for what they are to give.",
    bad: sampling("video_dims: [96, 64, 9]", "conditions: [{type: prefix, video: data/latents/1.pt, num_frames: 8}]"),
    good: sampling("video_dims: [96, 64, 9]", "conditions: [{type: prefix, video: data/latents/1.pt, num_frames: 9}]"),
  },
  {
    code: "LTX6332",
    slug: "sample-without-modality",
    title: "A sample is about something that the run does not have",
    explanation:
      "Samples have the modalities that the strategy feeds to the model, as far as `generate_video` and `generate_audio` allow. At least one of them must be left to generate, and conditions can only be about these.",
    bad: sampling("conditions: [{type: prefix, audio: data/audio_latents/1.pt}]") + "   # of a strategy without audio",
    good: sampling("conditions: [{type: prefix, video: data/latents/1.pt}]"),
  },
  {
    code: "LTX6333",
    slug: "guidance-beyond-blocks",
    title: "Guidance names a block that the model does not have",
    explanation:
      "`validation.stg_blocks` counts the transformer's blocks from 0. A block that does not exist would leave this guidance without effect.",
    bad: config("validation: {stg_blocks: [48]}"),
    good: config("validation: {stg_blocks: [28]}"),
  },
  {
    code: "LTX6350",
    slug: "broken-checkpoint",
    title: "The last checkpoint is broken, an earlier one is taken",
    explanation:
      "A file of the checkpoint is cut off or can not be read, so `ltxc run --resume` goes on from the last checkpoint that is whole. The " +
      "steps in between are trained again; with a full training state they give the same weights as before. Checkpoints are written " +
      "whole or not at all, so the usual reasons are a copy that was not finished and a failing disk.",
    bad: "ltxc run --resume   # training_state_step_00500.state is cut off",
    good: "ltxc run --resume   # after the folder was copied completely",
  },
  {
    code: "LTX6351",
    slug: "no-whole-checkpoint",
    title: "Every checkpoint of the run is broken",
    explanation:
      "`ltxc run --resume` goes on from the last checkpoint in `output_dir` whose weights and training state are whole, and there is none. " +
      "Copy the folder again from where it is whole, or begin anew without `--resume`.",
    bad: "ltxc run --resume",
    good: "ltxc run",
  },
  {
    code: "LTX6370",
    slug: "values-do-not-fit",
    title: "Values of the strategy do not fit together with these data",
    explanation:
      "When a strategy is compiled, most lengths are known by name: tokens, channels, frames. How many features a `tensor` source has is known " +
      "only from its files, and an operation that compares it with a head's `features`, or with another source, needs the same number on both sides.",
    bad: "outputs:\n  head: {linear: middle, features: 7}   # the files have 8 features",
    good: "outputs:\n  head: {linear: middle, features: 8}",
  },
  {
    code: "LTX6253",
    slug: "group-of-nothing",
    title: "A group of `runtime.optimization.groups` matches nothing that is trained",
    explanation:
      "A pattern is compared with the whole name of each module that is trained, for example `transformer_blocks.0.ff.net.2`; `*` stands for any text, `?` for one " +
      "character. Only modules that `lora.target_modules` chooses are trained, and the strategy's heads, as `outputs.NAME`. A module belongs to the first group that matches it.",
    bad: "runtime: {optimization: {groups: [{match: ff, learning_rate: 1e-5}]}}\n",
    good: "runtime: {optimization: {groups: [{match: '*.ff.*', learning_rate: 1e-5}]}}\n",
  },
  {
    code: "LTX6254",
    slug: "no-moving-average",
    title: "A pass calls the moving average of the weights, and the run keeps none",
    explanation:
      "`adapters: ema` evaluates the model with the exponential moving average of the weights that are trained. The run keeps it where `runtime.optimization.ema_decay` " +
      "says how slowly it follows: 0.999 averages over about 1000 steps, 0.99 over about 100.",
    bad: "training_strategy: {name: consistency}\n",
    good: "training_strategy: {name: consistency}\nruntime: {optimization: {ema_decay: 0.999}}\n",
  },
] as const satisfies readonly Entry[];
