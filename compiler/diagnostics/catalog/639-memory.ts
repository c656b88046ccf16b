/** Entries of the findings about where a run's weights lie, and whether they fit. */
import type { Entry } from "./entry.ts";

export const entries = [
  {
    code: "LTX6391",
    slug: "unknown-card",
    title: "No graphics card is known by this name",
    explanation:
      "`ltxc plan --gpu` reckons with what NVIDIA publishes of a card. A card is named by its number or its name, such as `4090`, `h100` or " +
      "`RTX 5090`; where there are several sizes, with its memory: `a100-40`. Of a card that is not in the table, the memory is enough to " +
      'know whether a run fits: `--gpu "24 GB"`.',
    bad: "ltxc plan --gpu 4095",
    good: "ltxc plan --gpu 4090",
  },
  {
    code: "LTX6392",
    slug: "offload-without-effect",
    title: "`offload: blocks` has no effect here",
    explanation:
      "With `offload: blocks`, frozen weights of the model's blocks stay in the memory of the host, and each block is copied to the device when " +
      "its turn comes. Only the engine `torch` does so, and only for weights that are not trained. The engine `onnx` maps weights from their " +
      "file in any case, so that the system keeps in memory what it has room for; so does `torch` on the CPU, where `offload: auto` never does so.",
    bad: "ltxc run --set runtime.engine=onnx --set runtime.offload=blocks",
    good: "ltxc run --set runtime.engine=torch --set runtime.offload=blocks",
  },
  {
    code: "LTX6394",
    slug: "no-place-for-quantized-weights",
    title: "There is no folder to keep quantized weights in",
    explanation:
      "Weights are quantized once for each model, and kept in the user's cache folder. It must belong to the user, and nobody else may write " +
      "to it: what lies there chooses what a run computes. The variable XDG_CACHE_HOME names another folder.",
    bad: "a cache folder that other users can write to",
    good: "XDG_CACHE_HOME=/home/me/large-disk ltxc run",
  },
  {
    code: "LTX6395",
    slug: "not-blocks",
    title: "`runtime.lora.blocks` names no blocks",
    explanation:
      "`blocks` says in which blocks of the model the layers of `lora.target_modules` get adapters: one block, a range with both ends, or " +
      "several of them behind commas or in a list. The first block is 0.",
    bad: "runtime:\n  lora: {blocks: 24..47}\n",
    good: "runtime:\n  lora: {blocks: 24-47}\n",
  },
  {
    code: "LTX6396",
    slug: "blocks-beyond-model",
    title: "The model has no such blocks",
    explanation:
      "`runtime.lora.blocks` goes beyond the last block of the model in `model_path`. Blocks are counted from 0, so that 48 blocks are 0 to 47.",
    bad: "runtime:\n  lora: {blocks: 24-48}\n",
    good: "runtime:\n  lora: {blocks: 24-47}\n",
  },
  {
    code: "LTX6397",
    slug: "blocks-elsewhere",
    title: "The official trainer has no choice of blocks",
    explanation:
      "The official trainer reads `lora.target_modules` alone, and would train adapters in all blocks. There, layers of single blocks are named " +
      "one by one.",
    bad: "runtime:\n  engine: ltx-trainer\n  lora: {blocks: 47}\n",
    good: "lora:\n  target_modules: [transformer_blocks.47.attn1.to_k]\nruntime:\n  engine: ltx-trainer\n",
  },
  {
    code: "LTX6197",
    slug: "damaged-scales",
    title: "Scales of weights in 8 bits are damaged",
    explanation:
      "A weight in 8 bits is multiplied by its scale (`weight_scale` or `scale_weight`). Here one is missing where other weights have theirs, or is zero, " +
      "negative, not finite or a whole number by its type, or there are two that differ. The model would train, but with weights that nobody meant.",
    bad: "a checkpoint with `to_q.weight_scale` of NaN",
    good: "model:\n  model_path: ltx-2-19b-dev-fp8.safetensors   # as it was published\n",
  },
  {
    code: "LTX6198",
    slug: "folder-for-quantized-file",
    title: "A folder is where the file of quantized weights should be",
    explanation:
      "Quantized weights are kept in a file of the user's cache folder, and a file does not replace a folder. Nothing of ltxc makes one there, so " +
      "it can be removed.",
    bad: "mkdir ~/.cache/ltxc/quantized/0123-int8-quanto-1.safetensors",
    good: "rmdir ~/.cache/ltxc/quantized/0123-int8-quanto-1.safetensors",
  },
  {
    code: "LTX6398",
    slug: "scales-of-other-shape",
    title: "The scales of a weight in 8 bits fit neither the weight nor its rows",
    explanation:
      "Next to a weight in 8 bits, a checkpoint has the number that it is multiplied by (`weight_scale` or `scale_weight`): one for the whole weight, or " +
      "one for each row. This one has another number of them, as for blocks of numbers, which are not read.",
    bad: "a checkpoint with `to_q.weight_scale` of the shape [32, 32]",
    good: "model:\n  model_path: ltx-2-19b-dev-fp8.safetensors\n",
  },
  {
    code: "LTX6399",
    slug: "trained-in-8-bits",
    title: "Weights in 8 bits can not be trained themselves",
    explanation:
      "A step of the optimizer is far smaller than the distance of two numbers of 8 bits. Adapters on such a checkpoint can be trained, since they have " +
      "32 bits, and can then be used with the checkpoint in 16 bits, too.",
    bad: "model:\n  model_path: ltx-2-19b-dev-fp8.safetensors\n  training_mode: full\n",
    good: "model:\n  model_path: ltx-2-19b-dev.safetensors\n  training_mode: full\n",
  },
  {
    code: "LTX6615",
    slug: "quantized-already",
    title: "The checkpoint is in 8 bits already",
    explanation:
      "`acceleration.quantization` rounds weights of 16 bits to 8. Those of this checkpoint are in 8 bits, with scales of their own, and are taken " +
      "as they are.",
    bad: "model:\n  model_path: ltx-2-19b-dev-fp8.safetensors\nacceleration:\n  quantization: fp8-quanto\n",
    good: "model:\n  model_path: ltx-2-19b-dev-fp8.safetensors\nacceleration:\n  quantization: null\n",
  },
] as const satisfies readonly Entry[];
