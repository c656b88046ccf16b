import type { Entry } from "./entry.ts";

/** What `ltxc compile --target ltx-trainer` finds, besides what every target does. */
export const entries = [
  {
    code: "LTX6601",
    slug: "import-without-python",
    title: "An imported function has no form in Python",
    explanation:
      "The official trainer runs Python. What a strategy says is translated, but a function that it imports is a program in TypeScript, and none is guessed for it. Its entry may name a second file, " +
      "which holds the same function over torch tensors, without the argument `ops`. `ltxc run` does not read it; that both calculate the same is for their author to see to.",
    bad: 'imports:\n  edges: {from: ./edges.ts, type: "(a: tokens:video) -> f32[batch]"}\n',
    good: 'imports:\n  edges: {from: ./edges.ts, python: ./edges.py, type: "(a: tokens:video) -> f32[batch]"}\n',
  },
  {
    code: "LTX6603",
    slug: "param-called-name",
    title: "A parameter is called `name`",
    explanation:
      "The section `training_strategy` of a run config holds the strategy's name under `name`, next to its parameters. The official trainer reads it there.",
    bad: "params:\n  name: {type: string, default: depth}\n",
    good: "params:\n  control: {type: string, default: depth}\n",
  },
  {
    code: "LTX6604",
    slug: "directory-named-latent",
    title: "A directory without latents has `latent` in its name",
    explanation:
      "The official trainer tells by a directory's name what its files hold: where `latent` is part of it, it expects an entry `latents` in every file. Masks, tensors and text " +
      "embeddings have none, and loading them would fail. Where a parameter gives the name, the module looks at it when it starts.",
    bad: "sources:\n  hole: {directory: latent_masks, kind: video_mask}\n",
    good: "sources:\n  hole: {directory: hole_masks, kind: video_mask}\n",
  },
  {
    code: "LTX6605",
    slug: "named-like-official",
    title: "The strategy has the name of an official one",
    explanation:
      "The official trainer has strategies `text_to_video` and `video_to_video` of its own. The module of a strategy of the same name trains with that strategy and not with the official one, which is what you want if they are meant " +
      "to be the same. For `video_to_video` the trainer makes two checks more, since it goes by the name: with `validation.interval` there must be a reference to validate with, and only `lora` can be trained.",
    bad: "strategy: text_to_video\n",
    good: "strategy: my_text_to_video\n",
  },
  {
    code: "LTX6606",
    slug: "unknown-target",
    title: "There is no such target",
    explanation:
      "`ltxc compile` makes builds for `ltxc run` (the target `ltxc`, if none is named), and Python modules for the official trainer (the target `ltx-trainer`).",
    bad: "ltxc compile --target ltx-trianer",
    good: "ltxc compile --target ltx-trainer",
  },
  {
    code: "LTX6607",
    slug: "unfit-python-import",
    title: "A file of Python cannot become part of the module",
    explanation:
      "The file that an import names under `python` is put into the emitted module as it is, so it may hold functions and constants only, and import nothing but torch and math, at its top. It " +
      "defines a function of the import's name, which takes the tensors and numbers of `type`.",
    bad: "import numpy\n\ndef edges(ops, a):\n    return numpy.abs(a)\n",
    good: "from torch import Tensor\n\ndef edges(a: Tensor) -> Tensor:\n    return a.abs().mean((1, 2))\n",
  },
  {
    code: "LTX6608",
    slug: "no-official-trainer",
    title: "The official trainer is not here",
    explanation:
      "`ltxc run --on ltx-trainer` starts the official trainer, which is a program of its own, in Python. It is looked for where `runtime.ltx_trainer` says, in an environment of Python or in a checkout " +
      "of its packages, and otherwise with the `python3` of PATH.",
    bad: "runtime:\n  engine: ltx-trainer\n",
    good: "runtime:\n  engine: ltx-trainer\n  ltx_trainer: ../LTX-2\n",
  },
  {
    code: "LTX6609",
    slug: "more-processes-than-gpus",
    title: "More processes than GPUs",
    explanation: "On the official trainer each process has a GPU of its own, which holds the whole model.",
    bad: "runtime:\n  engine: ltx-trainer\n  processes: 8   # of 4 GPUs\n",
    good: "runtime:\n  engine: ltx-trainer\n  processes: 4\noptimization:\n  gradient_accumulation_steps: 2\n",
  },
  {
    code: "LTX6610",
    slug: "official-trainer-failed",
    title: "The official trainer ended with an error",
    explanation:
      "The last line that it printed is shown; `ltx-trainer.log` in `output_dir` has everything. What a run config has wrong is found before the start; what is found only here is, for example, a lack of " +
      "memory on a GPU, or a version of the official packages that this ltxc does not know.",
    bad: "optimization:\n  batch_size: 64\n",
    good: "optimization:\n  batch_size: 1\n  enable_gradient_checkpointing: true\n",
  },
  {
    code: "LTX6611",
    slug: "no-text-encoder",
    title: "The official trainer needs the text encoder's folder",
    explanation:
      "It reads sizes from that folder's `config.json`, even if all captions are preprocessed and no samples are drawn. `ltxc init --target ltx-trainer` makes a small folder for its tiny model.",
    bad: "model: {model_path: ltx-2-19b-dev.safetensors}\n",
    good: "model: {model_path: ltx-2-19b-dev.safetensors, text_encoder_path: gemma-3-12b-it}\n",
  },
  {
    code: "LTX6612",
    slug: "no-source-for-target",
    title: "The strategy's file is not here",
    explanation:
      "A build of `ltxc compile` is for `ltxc run` itself. For the official trainer the strategy is compiled anew, which takes its `.strategy` file in the working folder.",
    bad: "ltxc run --on ltx-trainer   # in a folder with build/depth.mjs only\n",
    good: "ltxc run --on ltx-trainer   # in the folder of depth.strategy\n",
  },
  {
    code: "LTX6613",
    slug: "section-without-module",
    title: "The run config's section is not that of a compiled module",
    explanation:
      "`flexible` is described in the run config itself, and `text_to_video` with `with_audio` is a strategy of another name in ltxc. `ltxc run --on ltx-trainer` takes care of both. A module that you launch yourself reads your run config, " +
      "and finds there the name and the parameters of the one strategy that it was made of: `ltxc eject` writes the strategy as a file, and prints the section that goes with it.",
    bad: "training_strategy:\n  name: flexible\n  video: {is_generated: true, latents_dir: latents}\n",
    good: "training_strategy:\n  name: my_flexible   # of my_flexible.strategy\n",
  },
  {
    code: "LTX6614",
    slug: "losses-differ",
    title: "The official trainer has other losses",
    explanation:
      "`ltxc parity` trains on both from the same weights, with the same samples and random numbers, in float32. Losses that differ from the first step on come from other inputs of the model or another loss: compare an imported " +
      "function with its form in Python, and look at the versions of the official packages. Losses that agree at first and differ later come from other gradients, or from rounding that the training makes larger; with a smaller " +
      "learning rate the latter vanishes. The folder of the comparison has both runs, all losses by terms (`parity.json`), and what the official trainer printed (`ltx-trainer.log`). If you find no reason, it is a mistake of ltxc: please report it.",
    bad: "def edges(a):\n    return a.abs().mean((1, 2))   # edges.ts takes the square\n",
    good: "def edges(a):\n    return a.square().mean((1, 2))\n",
  },
  {
    code: "LTX6616",
    slug: "networks-in-python",
    title: "The official trainer runs no networks of a strategy",
    explanation:
      "A strategy for the official trainer becomes one Python module. Frozen networks (`networks:`), such as the decoder of the video VAE, are code and weights of their own, which such a module does not hold. `ltxc run` trains the strategy, on the engine `torch` with the same PyTorch.",
    bad: "ltxc compile pixel_loss.strategy --target ltx-trainer\n",
    good: "ltxc run train.yaml --engine torch\n",
  },
  {
    code: "LTX6630",
    slug: "mean-weights-in-python",
    title: "The official trainer keeps no mean of the weights",
    explanation:
      "A pass with `adapters: ema` calls the model with the moving mean of the trained weights, which `ltxc run` keeps. The official trainer has the weights that it trains, and the model without the LoRA. Passes with `adapters: false`, " +
      "and those that only change what the model is given, are compiled for it.",
    bad: "passes:\n  teacher: {adapters: ema}\n",
    good: "passes:\n  teacher: {adapters: false}\n",
  },
  {
    code: "LTX6641",
    slug: "no-directory-of-texts",
    title: "No source of texts is a directory",
    explanation:
      "The official trainer reads the texts of its samples from a directory, and takes them through its connectors. The compiled module puts further texts there as well, of other directories or of a single file for all samples, but not without a directory.",
    bad: "sources:\n  conditions: {file: empty.pt, kind: text_embeddings}\n",
    good: "sources:\n  conditions: {directory: conditions, kind: text_embeddings}\n",
  },
] as const satisfies readonly Entry[];
