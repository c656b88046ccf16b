import type { Entry } from "./entry.ts";

/** Checkpoints that are not what they should be, and adapters and features that do not fit them. */
export const entries = [
  {
    code: "LTX6201",
    slug: "checkpoint-other-architecture",
    title: "The checkpoint is built in a way that ltxc does not implement",
    explanation:
      "Some keys of a checkpoint's config have one value in every LTX-2 model, and the transformer is written for it: RMS norms, rotary positions, biases in attention, equal head counts in both streams. Another value, or none, means another architecture, which would give numbers without meaning.",
    bad: "model:\n  model_path: some-other-transformer.safetensors\n",
    good: "model:\n  model_path: ltx-2.safetensors\n",
  },
  {
    code: "LTX6202",
    slug: "checkpoint-config-incomplete",
    title: "The checkpoint's config lacks a key",
    explanation:
      "A transformer with caption projections of its own must say how wide captions are (`caption_channels`) and how many heads it has. There is no default to fall back to. The metadata was written by hand or belongs to another file.",
    bad: "model:\n  model_path: converted-without-metadata.safetensors\n",
    good: "model:\n  model_path: ltx-2.safetensors\n",
  },
  {
    code: "LTX6203",
    slug: "checkpoint-config-value",
    title: "The checkpoint's config has a value that makes no sense",
    explanation:
      "A size must be a positive whole number, a flag true or false, `rope_type` split or interleaved, and the text context as wide as the stream that reads it.",
    bad: "model:\n  model_path: edited-metadata.safetensors\n",
    good: "model:\n  model_path: ltx-2.safetensors\n",
  },
  {
    code: "LTX6204",
    slug: "not-a-checkpoint",
    title: "The file has no config of a transformer",
    explanation:
      "An official checkpoint carries its architecture as JSON in the metadata of the safetensors file, under `config`. LoRA files, full-training results, VAEs and text encoders carry none, or one without a `transformer` section.",
    bad: "model:\n  model_path: lora_weights_step_00250.safetensors\n",
    good: "model:\n  model_path: ltx-2.safetensors\n  load_checkpoint: lora_weights_step_00250.safetensors\n",
  },
  {
    code: "LTX6205",
    slug: "missing-weights",
    title: "The checkpoint lacks tensors",
    explanation:
      "The config in the file says which tensors the model has. Some of those that this run needs are not there, so the file is incomplete, or its metadata was copied from another one. Tensors that the run does not need (those of audio, when only video is trained) may be missing.",
    bad: "model:\n  model_path: pruned.safetensors\n",
    good: "model:\n  model_path: ltx-2.safetensors\n",
  },
  {
    code: "LTX6206",
    slug: "weight-shape",
    title: "The checkpoint has tensors of the wrong shape",
    explanation:
      "The sizes in the checkpoint's config and those of its tensors do not agree. The metadata belongs to another model.",
    bad: "model:\n  model_path: mixed-up.safetensors\n",
    good: "model:\n  model_path: ltx-2.safetensors\n",
  },
  {
    code: "LTX6207",
    slug: "unused-weights",
    title: "The checkpoint has tensors that nothing reads",
    explanation:
      "Below the transformer's prefix lie tensors that its config does not call for. They are left out; the model runs as its config says. It is worth a look, since a flag may be missing in the metadata.",
    bad: "model:\n  model_path: with-extra-layers.safetensors\n",
    good: "model:\n  model_path: ltx-2.safetensors\n",
  },
  {
    code: "LTX6208",
    slug: "latent-cell-unknown",
    title: "The size of a latent cell is unknown",
    explanation:
      "How many pixels and frames one latent cell covers follows from the blocks of the video VAE, listed in the config of the file that holds it. A pack in several files keeps its VAE apart from the transformer, and the run config must name it. A guess would place every token wrongly.",
    bad: "model:\n  model_path: transformer.safetensors\n",
    good: "model:\n  model_path: transformer.safetensors\n  video_vae_path: video_vae.safetensors\n",
  },
  {
    code: "LTX6210",
    slug: "lora-target-unmatched",
    title: "A LoRA target names no layer",
    explanation:
      "A target chooses the linear layers whose dotted name equals it or ends with a dot and the target, in whole parts: `to_k` chooses all attentions, `attn1.to_k` only the video's self-attention, `k` none. It is an error when the whole list chooses nothing, and a warning for one target among others.",
    bad: "lora:\n  target_modules: [attn.to_k]\n",
    good: "lora:\n  target_modules: [attn1.to_k]\n",
  },
  {
    code: "LTX6211",
    slug: "lora-target-not-linear",
    title: "A LoRA target names something that takes no adapter",
    explanation:
      "Adapters are added to linear layers. The target names a part of the model that is none: a whole attention, a norm, or `to_out`, whose linear layer is `to_out.0`.",
    bad: "lora:\n  target_modules: [to_q, to_k, to_v, to_out]\n",
    good: "lora:\n  target_modules: [to_q, to_k, to_v, to_out.0]\n",
  },
  {
    code: "LTX6212",
    slug: "lora-targets-not-run",
    title: "None of the LoRA targets takes part in the run",
    explanation:
      "The targets name layers of the stream that the strategy does not feed, or cross-modal layers, which run only when both streams are fed. No adapter would ever change.",
    bad: "training_strategy:\n  name: inpainting # video alone\nlora:\n  target_modules: [audio_attn1.to_k]\n",
    good: "training_strategy:\n  name: inpainting\nlora:\n  target_modules: [attn1.to_k]\n",
  },
  {
    code: "LTX6213",
    slug: "text-features-do-not-fit",
    title: "Text embeddings do not fit the checkpoint",
    explanation:
      "Data sets hold text features from before the connectors, as wide as the checkpoint's connectors take them and padded to a multiple of their 128 registers. Features of another width were made with another generation of the model.",
    bad: "model:\n  model_path: ltx-2.3.safetensors # the data were made with ltx-2\n",
    good: "model:\n  model_path: ltx-2.safetensors\n",
  },
  {
    code: "LTX6214",
    slug: "text-features-of-one-stream",
    title: "Text embeddings and connectors do not pair up",
    explanation:
      "Each stream has a connector for its own text features. An audio stream needs `audio_prompt_embeds` (or the older single `prompt_embeds`), and audio features need a checkpoint with an audio connector.",
    bad: "data:\n  preprocessed_data_root: made-with-a-video-only-checkpoint\n",
    good: "data:\n  preprocessed_data_root: made-with-the-audio-video-checkpoint\n",
  },
  {
    code: "LTX6216",
    slug: "model-lacks-stream",
    title: "The model has no such stream",
    explanation:
      "The strategy feeds a modality that the checkpoint was not built for. Audio-video checkpoints have both streams, others only one.",
    bad: "model:\n  model_path: video-only.safetensors\n",
    good: "model:\n  model_path: audio-video.safetensors\n",
  },
  {
    code: "LTX6217",
    slug: "tap-beyond-blocks",
    title: "An output taps a block that the model does not have",
    explanation:
      "A tap is the stream after one of the transformer's blocks, which are counted from 0, or with -1 for the last from the end. How many there are depends on the checkpoint.",
    bad: "outputs:\n  mid: {tap: block 48, modality: video}   # of a model with 48 blocks",
    good: "outputs:\n  mid: {tap: block 24, modality: video}",
  },
  {
    code: "LTX6220",
    slug: "engine-does-not-work",
    title: "The engine that was asked for does not work here",
    explanation:
      "`runtime.engine` names one engine, and its package is not installed or its native part does not load. With `auto` the fastest one that works is taken, and the start of the run says why the others were not.",
    bad: "runtime:\n  engine: tfjs-node-gpu # on a machine without NVIDIA GPU\n",
    good: "runtime:\n  engine: auto\n",
  },
  {
    code: "LTX6221",
    slug: "provider-does-not-work",
    title: "What the engine should compute with does not work here",
    explanation:
      "`runtime.provider` names what the engines `onnx` and `torch` compute with. `webgpu`, which only `onnx` has, needs a GPU and its driver; `cuda` needs an NVIDIA GPU, and either PyTorch with CUDA or libraries that `ltxc install cuda` fetches. With `auto` an NVIDIA GPU is taken if it can be used, otherwise the CPU.",
    bad: "runtime:\n  provider: cuda # on a machine without NVIDIA GPU\n",
    good: "runtime:\n  provider: auto\n",
  },
  {
    code: "LTX6222",
    slug: "other-file-format",
    title: "The file is in another format",
    explanation:
      "ltxc reads weights from safetensors files. What a file is, its first bytes tell, not its name: GGUF files hold quantized numbers, files of PyTorch (.pt, .pth, .ckpt, .bin) may hold code and are not opened for weights, archives must be unpacked first, and macOS writes files that begin with `._` on disks of other systems, which hold none of the content.",
    bad: "model:\n  model_path: ltx-2-19b-Q4_K_M.gguf\n",
    good: "model:\n  model_path: ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6223",
    slug: "stand-in-for-a-file",
    title: "Something was stored in place of the file",
    explanation:
      "A download can leave something else under the file's name: a web page or an error of the server, for example where a gated model asks to log in, or the pointer that Git leaves for a large file which was not fetched. It is small, and the file itself is still to be fetched.",
    bad: "a file of 130 bytes that begins with `version https://git-lfs.github.com/spec/v1`",
    good: "the same file after `git lfs pull`",
  },
  {
    code: "LTX6224",
    slug: "unfinished-file",
    title: "The file is not complete",
    explanation:
      "The file is empty, holds only zeros, or ends before its header says that it does. A download or copy was interrupted, or the disk was full. A download that can be continued need not begin again.",
    bad: "a checkpoint of 12 GB whose header describes 43 GB",
    good: "the same checkpoint, after the download was continued to its end",
  },
  {
    code: "LTX6225",
    slug: "folder-not-file",
    title: "A folder stands where a file is needed",
    explanation:
      "`model_path` and `video_vae_path` name one file each. If files in the folder would do, the message lists them. Folders of diffusers hold the model in another layout and can not be used.",
    bad: "model:\n  model_path: models/\n",
    good: "model:\n  model_path: models/ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6226",
    slug: "model-in-several-files",
    title: "The file is one of several that make up a model",
    explanation:
      "Files named `...-00001-of-00004.safetensors` hold a part of a model each, and an index (`.index.json`) lists what lies where. ltxc reads a checkpoint from one file, as LTX-2 is published.",
    bad: "model:\n  model_path: model-00001-of-00004.safetensors\n",
    good: "model:\n  model_path: ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6227",
    slug: "quantized-checkpoint",
    title: "The checkpoint or LoRA is quantized",
    explanation:
      "The weights are stored in a form that ltxc does not read, such as 4 bits (nvfp4, GGUF) or int8. The file is sound, but ltxc trains on weights of 16 or 32 bits, and on those of 8 bits as fp8 (F8_E4M3). A LoRA that was trained on these can be used with a quantized checkpoint of the same version.",
    bad: "model:\n  model_path: ltx-2-19b-dev-fp4.safetensors\n",
    good: "model:\n  model_path: ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6228",
    slug: "no-connectors",
    title: "The checkpoint has no connectors",
    explanation:
      "Two small transformers, the connectors, turn the features of a caption into what LTX-2 reads. They are part of the published checkpoint, under `video_embeddings_connector` and `audio_embeddings_connector`. Some tools leave them out of files that hold the transformer alone.",
    bad: "model:\n  model_path: ltx-2-transformer-only.safetensors\n",
    good: "model:\n  model_path: ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6229",
    slug: "diffusers-layout",
    title: "The checkpoint is in the layout of diffusers",
    explanation:
      "The library diffusers calls the tensors of LTX-2 by other names (`proj_in`, `time_embed`, `norm_q`) and keeps connectors and config in other files. ltxc reads the layout in which LTX-2 is published.",
    bad: "model:\n  model_path: transformer/diffusion_pytorch_model.safetensors\n",
    good: "model:\n  model_path: ltx-2-19b-dev.safetensors\n",
  },
  {
    code: "LTX6230",
    slug: "other-weights",
    title: "The file holds other weights",
    explanation:
      "The file is sound, but it is not what the setting asks for: a LoRA, a VAE, a text encoder, an LTX-Video transformer or a model of another family. The message says what it is and where it belongs.",
    bad: "model:\n  model_path: my_lora.safetensors\n",
    good: "model:\n  model_path: ltx-2-19b-dev.safetensors\n  load_checkpoint: my_lora.safetensors\n",
  },
  {
    code: "LTX6231",
    slug: "not-a-text",
    title: "The file that was named is not a text",
    explanation:
      "`ltxc check` reads strategies and run configs. Weights and data are checked through the run config that names them.",
    bad: "ltxc check ltx-2-19b-dev.safetensors",
    good: "ltxc check train.yaml",
  },
  {
    code: "LTX6240",
    slug: "memory-short",
    title: "The run needs more memory than there is",
    explanation:
      "The estimate counts the weights, what is trained, the optimizer, and what a step makes. If it is more than the memory of this machine (or of its container, or of the GPU), the run slows down a lot or is ended by the system. The help names the one change that saves most, and where that is not enough, the changes that are; `ltxc plan` lists all of them.",
    bad: "optimization:\n  batch_size: 8\n  enable_gradient_checkpointing: false\n",
    good: "optimization:\n  batch_size: 1\n  enable_gradient_checkpointing: true\n",
  },
  {
    code: "LTX6241",
    slug: "memory-far-short",
    title: "The run needs more than twice the memory that there is",
    explanation:
      "With so little memory, the run would end within its first steps, after a long wait. It is not started. `runtime.ignore_memory: true` starts it all the same, for example where much swap space is meant to be used.",
    bad: "a run that needs about 77 GiB, on a machine with 23 GiB",
    good: "runtime:\n  ignore_memory: true\n",
  },
  {
    code: "LTX6250",
    slug: "rank-too-large",
    title: "With this rank an adapter would be larger than a tensor can be",
    explanation:
      "An adapter of a layer has rank times the layer's width numbers, twice. A rank beyond the layer's width adds nothing that it could learn; 8 to 128 is usual.",
    bad: "lora:\n  rank: 1000000\n",
    good: "lora:\n  rank: 64\n",
  },
  {
    code: "LTX6255",
    slug: "holes-in-checkpoint",
    title: "Weights of the checkpoint are nothing but zeros",
    explanation:
      "Some programs reserve a whole file before they download it, so one that was cut off has its right size and its header, and zeros where pieces are missing. A LoRA trained on it is worthless. The first bytes cannot tell; `ltxc` looks into a few hundred weights. Compare the file's SHA-256 with the one on its page.",
    bad: "model:\n  model_path: models/ltx-2-19b-dev.cut-off.safetensors\n",
    good: "model:\n  model_path: models/ltx-2-19b-dev.safetensors\n",
  },
] as const satisfies readonly Entry[];
