import type { Entry } from "./entry.ts";

const model = "model: {model_path: ltx.safetensors}";
const data = "data: {preprocessed_data_root: data}";
/** The settings that every run config has, and `lines`. */
const config = (...lines: string[]) => [model, data, "lora: {rank: 8}", ...lines].join("\n");

/** What is wrong with a run config itself, before any of the files that it names is looked at. */
export const entries = [
  {
    code: "LTX6001",
    slug: "unknown-setting",
    title: "There is no such setting",
    explanation:
      "A run config has the sections and fields of the official trainer, and `runtime` and `evaluation`. A strategy has the " +
      "parameters that its `params` declare. Any other key is refused: a misspelt one would otherwise train with a default.",
    bad: config("optimization: {learning_rat: 1e-4}"),
    good: config("optimization: {learning_rate: 1e-4}"),
  },
  {
    code: "LTX6002",
    slug: "wrong-setting",
    title: "A setting has a value of the wrong kind",
    explanation:
      "Each setting takes one kind of value: a number, text, a list, or one of a few words. Numbers may be written as text, since " +
      "some YAML readers take `1e-4` for text.",
    bad: config("optimization: {steps: many}"),
    good: config("optimization: {steps: 500}"),
  },
  {
    code: "LTX6003",
    slug: "setting-out-of-range",
    title: "A setting is too small, too large, or has too few or too many entries",
    explanation:
      "The value is of the right kind and yet means nothing for a training run, for example a batch of no samples.",
    bad: config("optimization: {batch_size: 0}"),
    good: config("optimization: {batch_size: 1}"),
  },
  {
    code: "LTX6004",
    slug: "missing-setting",
    title: "A setting that has no default is missing",
    explanation:
      "`model.model_path` and `data.preprocessed_data_root` can not be guessed, nor can a parameter that a strategy declares " +
      "without a default.",
    bad: [model, "lora: {rank: 8}", "data: {num_dataloader_workers: 0}"].join("\n"),
    good: config(),
  },
  {
    code: "LTX6005",
    slug: "unsupported-setting",
    title: "The setting would change the result, and this version does not support it",
    explanation:
      "The official format knows number formats of frozen weights that this version does not have. Training with something " +
      "else in their place would give another result than the one asked for, so the run does not start.",
    bad: config("acceleration: {quantization: int2-quanto}"),
    good: config("acceleration: {quantization: null}"),
  },
  {
    code: "LTX6006",
    slug: "setting-without-effect",
    title: "The setting has no effect in this version",
    explanation:
      "What is asked for happens beside the training, for example sampling or an upload, only saves memory, or is a condition of what " +
      "is not generated. The run goes on without it; the weights are the same.",
    bad: config("wandb: {enabled: true}"),
    good: config("wandb: {enabled: false}"),
  },
  {
    code: "LTX6007",
    slug: "older-setting",
    title: "The setting has a newer name",
    explanation:
      "Settings of older releases of the official trainer still work. The new ones say the same more precisely.",
    bad: config("validation: {guidance_scale: 4}"),
    good: config("validation: {video_cfg_scale: 4, audio_cfg_scale: 4}"),
  },
  {
    code: "LTX6008",
    slug: "contradicting-settings",
    title: "Settings that are wrong together",
    explanation:
      "Each of the settings could stand alone, but one of them needs, excludes or limits the other. The message names both.",
    bad: config("validation: {guidance_scale: 4, video_cfg_scale: 3}"),
    good: config("validation: {video_cfg_scale: 3}"),
  },
  {
    code: "LTX6009",
    slug: "address-instead-of-file",
    title: "The model is an address, not a file",
    explanation: "A run reads its checkpoint from the disk, piece by piece and more than once. Nothing is downloaded.",
    bad: ["model: {model_path: https://example.org/ltx.safetensors}", data, "lora: {rank: 8}"].join("\n"),
    good: config(),
  },
  {
    code: "LTX6010",
    slug: "unknown-strategy",
    title: "There is no strategy of this name",
    explanation:
      "`training_strategy.name` is the name that the file gives after `strategy:`, or that of a built-in strategy. One's own " +
      "strategies are found in `build/` once `ltxc compile` has run.",
    bad: config("training_strategy: {name: inpaintng}"),
    good: config("training_strategy: {name: inpainting}"),
  },
  {
    code: "LTX6011",
    slug: "removed-setting",
    title: "The setting was removed from the official format",
    explanation:
      "Releases of the official trainer before April 2026 had it; the run goes on without it. Its present release refuses the file until " +
      "the line is gone. Where `videos_per_prompt` was more than 1, list that many entries under `samples`, each with its own `seed`.",
    bad: config("validation: {videos_per_prompt: 1, interval: 100}"),
    good: config("validation: {interval: 100}"),
  },
  {
    code: "LTX6012",
    slug: "surprising-number",
    title: "YAML 1.1 reads this as another number",
    explanation:
      "A run config is YAML 1.1, as the official trainer reads it: a whole number with a leading zero is octal (`010` is 8), and numbers " +
      "joined by colons are of base 60 (`1:30` is 90). The run uses that number. Write it in decimal, or the number that you mean.",
    bad: config("seed: 010"),
    good: config("seed: 10"),
  },
  {
    code: "LTX6390",
    slug: "date-as-text",
    title: "YAML 1.1 reads this as a date",
    explanation:
      "A run config is YAML 1.1, as the official trainer reads it. There, `2026-11-27` without quotes is a date and no text, and the official " +
      "trainer refuses it where a setting wants text. ltxc takes it as the text that is written. In quotes it is text for both.",
    bad: config("wandb: {project: 2026-11-27}"),
    good: config('wandb: {project: "2026-11-27"}'),
  },
  {
    code: "LTX6196",
    slug: "rank-beyond-layers",
    title: "The rank is larger than any layer is wide",
    explanation:
      "An adapter of rank r is the product of two matrices, one with r rows and one with r columns. No rank above the width of its layer adds anything: it " +
      "only takes memory and time. The widest layers of LTX-2 have 16,384 outputs, and LoRAs are usually trained with a rank of 8 to 128.",
    bad: [model, data, "lora: {rank: 450000, alpha: 450000}"].join("\n"),
    good: [model, data, "lora: {rank: 32, alpha: 32}"].join("\n"),
  },
  {
    code: "LTX6393",
    slug: "quantization-not-here",
    title: "The frozen weights can not be quantized here",
    explanation:
      "`quantization: int8-quanto`, `fp8-quanto` and `int4-quanto` keep the frozen weights of the blocks' linear layers in 8 or 4 bits, with scales, and " +
      "widen them where they are used. Only the engine `torch` computes so. A full training has no frozen weights.",
    bad: config("acceleration: {quantization: int8-quanto}\nruntime: {engine: onnx}"),
    good: config("acceleration: {quantization: int8-quanto}\nruntime: {engine: torch}"),
  },
  {
    code: "LTX6251",
    slug: "unusual-value",
    title: "A setting is far from all values with which runs train",
    explanation:
      "The value is allowed and used. But with a learning rate of 1 the loss soon is not a number, and with one of 1e-9 nothing is learned: " +
      "usually a sign or a zero was forgotten. The help says what is usual.",
    bad: config("optimization: {learning_rate: 1}"),
    good: config("optimization: {learning_rate: 1e-4}"),
  },
  {
    code: "LTX6252",
    slug: "own-optimization-elsewhere",
    title: "The official trainer does not have what `runtime.optimization` asks for",
    explanation:
      "Other optimizers, parameter groups, warm-up and the moving average of the weights (`ema_decay`) are ltxc's own. The official trainer would " +
      "train without them, which gives other weights, so nothing is started there.",
    bad: config("runtime: {engine: ltx-trainer, optimization: {optimizer: lion}}"),
    good: config("runtime: {optimization: {optimizer: lion}}"),
  },
] as const satisfies readonly Entry[];
