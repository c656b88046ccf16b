import type { Entry } from "./entry.ts";

/** A run config that begins with a LoRA file. */
const loading = (file: string, lora = "rank: 8") =>
  [
    `model: {model_path: ltx.safetensors, load_checkpoint: ${file}}`,
    "data: {preprocessed_data_root: data}",
    `lora: {${lora}}`,
  ].join("\n");
const fine = loading("lora_weights_step_00250.safetensors");

/** What is wrong with LoRA files, those of other programs included. */
export const entries = [
  {
    code: "LTX6360",
    slug: "not-plain-lora",
    title: "The file is not a plain LoRA",
    explanation:
      "DoRA, LoHa, LoKr, OFT and others change weights in other ways than LoRA does, W + scale · B A. ltxc trains LoRA. If it left out " +
      "the tensors that LoRA lacks, such as DoRA's magnitudes, training would begin from weights that nobody trained.",
    bad: loading("dora.safetensors"),
    good: fine,
  },
  {
    code: "LTX6361",
    slug: "lora-not-finite",
    title: "The LoRA has numbers that are not finite",
    explanation:
      "NaN and infinite numbers spread through the whole model at the first step. A training that diverged, or one in float16 that " +
      "overflowed, leaves them. An earlier checkpoint may be sound.",
    bad: loading("diverged.safetensors"),
    good: fine,
  },
  {
    code: "LTX6362",
    slug: "lora-other-rank",
    title: "The LoRA has another rank than the run",
    explanation:
      "The rank is the inner size of every adapter, so a file can only be trained further with its own. `ltxc check --fix` writes it into " +
      "the run config, and where alpha was equal to the rank, alpha too.",
    bad: loading("rank_8.safetensors", "rank: 4, alpha: 4"),
    good: loading("rank_8.safetensors", "rank: 8, alpha: 8"),
  },
  {
    code: "LTX6363",
    slug: "lora-several-ranks",
    title: "The LoRA has several ranks",
    explanation:
      "Some programs give each layer a rank of its own, or shrink each to what it needs. ltxc trains all adapters with the one " +
      "`lora.rank`. Programs that resize LoRA files can bring a file to one rank.",
    bad: loading("resized.safetensors"),
    good: fine,
  },
  {
    code: "LTX6364",
    slug: "lora-halves",
    title: "A LoRA's tensors do not make pairs",
    explanation:
      "Each layer has two matrices, A of [rank, inputs] and B of [outputs, rank], whatever a program calls them (lora_down and lora_up). One " +
      "is missing, the ranks of the two differ, or there are several adapters in the file.",
    bad: loading("half.safetensors"),
    good: fine,
  },
  {
    code: "LTX6365",
    slug: "lora-tensors-left-out",
    title: "The LoRA has tensors that are left out",
    explanation:
      "Adapters of the text encoder or the connectors, and tensors of layers that no LTX-2 has, cannot be trained here. Without them the " +
      "LoRA may act in another way than it did where it was made.",
    bad: loading("with_text_encoder.safetensors"),
    good: fine,
  },
  {
    code: "LTX6366",
    slug: "no-lora-of-ltx2",
    title: "The file has no adapter of LTX-2",
    explanation:
      "None of the file's tensors is the adapter of a layer that LTX-2's transformer has. It is a LoRA of another model, or no LoRA. The names " +
      "of the official trainer, ComfyUI, diffusers, PEFT, kohya's scripts, musubi-tuner and DiffSynth are known.",
    bad: loading("lora_of_another_model.safetensors"),
    good: fine,
  },
  {
    code: "LTX6367",
    slug: "lora-alpha",
    title: "A LoRA's alpha cannot be understood",
    explanation:
      "An adapter counts alpha / rank times. Programs store alpha as a tensor for each layer, in the metadata, or in an " +
      "`adapter_config.json` next to the file. Where that is no number, the strength is unknown.",
    bad: loading("broken_alpha.safetensors"),
    good: fine,
  },
  {
    code: "LTX6368",
    slug: "lora-alpha-unknown",
    title: "The LoRA does not say its alpha, and the run's is not its rank",
    explanation:
      "The official trainer stores no alpha: whoever trains on has to write the one that was used. ltxc takes the file as trained with the " +
      "run's alpha, so B counts alpha / rank times. Programs that load LoRAs take such a file with alpha = rank.",
    bad: loading("lora_weights_step_00250.safetensors", "rank: 8, alpha: 16"),
    good: loading("lora_weights_step_00250.safetensors", "rank: 8, alpha: 8"),
  },
] as const satisfies readonly Entry[];
