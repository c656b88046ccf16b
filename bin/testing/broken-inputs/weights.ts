import { cp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeSafetensors } from "../../../runtime/files/safetensors/index.ts";
import { bytesOf, replace, setting, type BrokenInput } from "./broken-input.ts";
import { reshaped, rewritten } from "./model.ts";

const folder = "trained/checkpoints";
const lora = `${folder}/lora_weights_step_00002.safetensors`;
const state = `${folder}/training_state_step_00002.state`;
const copy = "begin.safetensors";
const loads = setting("model", `load_checkpoint: ${copy}`);

/** Begins with the trained LoRA, changed, in a file without a state. */
const beginning = (change: Parameters<typeof rewritten>[1]) => async (cwd: string) => {
  await rewritten(lora, { metadata: () => ({}), ...change }, copy)(cwd);
  await loads(cwd);
};

const only = (name: string) => (cwd: string) =>
  writeSafetensors(join(cwd, copy), [
    reshaped(`diffusion_model.${name}.lora_A.weight`, [8, 64]),
    reshaped(`diffusion_model.${name}.lora_B.weight`, [64, 8]),
  ]).then(() => loads(cwd));

/** Goes on with the trained run, whose files are in `output_dir` then. */
const resumed =
  (...changes: readonly ((cwd: string) => Promise<unknown>)[]) =>
  async (cwd: string) => {
    for (const change of changes) await change(cwd);
    await setting("model", `load_checkpoint: ${folder}`)(cwd);
    await replace("train.yaml", /^output_dir: .*$/m, "output_dir: trained")(cwd);
  };

const flipped = (bytes: Buffer): Buffer => {
  const at = bytes.length - 21;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
};

/** Whatever of the weights that a run begins with, or of the run that it goes on with, can be wrong. */
export const brokenWeights: readonly BrokenInput[] = [
  {
    name: "a LoRA of another rank",
    arrange: (cwd) => beginning({})(cwd).then(() => replace("train.yaml", "rank: 8", "rank: 4")(cwd)),
  },
  { name: "a LoRA of other layers", arrange: only("transformer_blocks.0.attn2.to_q") },
  { name: "a LoRA of no layer of this model", arrange: only("transformer_blocks.99.attn1.to_q") },
  {
    name: "a LoRA with DoRA's scales",
    arrange: async (cwd) => {
      await writeSafetensors(join(cwd, copy), [
        reshaped("diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight", [8, 64]),
        reshaped("diffusion_model.transformer_blocks.0.attn1.to_q.lora_B.weight", [64, 8]),
        reshaped("diffusion_model.transformer_blocks.0.attn1.to_q.dora_scale", [64]),
      ]);
      await loads(cwd);
    },
  },
  {
    name: "a LoRA that is not a number",
    arrange: beginning({
      change: ({ name, shape }) => {
        const tensor = reshaped(name, shape);
        if (name.includes("to_v.lora_A")) (tensor.data as Float32Array).fill(NaN);
        return tensor;
      },
    }),
  },
  {
    name: "a LoRA of another model",
    arrange: beginning({
      change: ({ name, shape: [rows = 0, columns = 0] }) =>
        reshaped(name, name.includes("lora_A") ? [rows, 2 * columns] : [2 * rows, columns]),
    }),
  },
  {
    name: "a LoRA without half of an adapter",
    arrange: beginning({ keep: (name) => !name.includes("0.attn1.to_q.lora_B") }),
  },
  {
    name: "a LoRA cut off",
    arrange: async (cwd) => {
      await beginning({})(cwd);
      await bytesOf(copy, (bytes) => bytes.subarray(0, -100))(cwd);
    },
  },
  {
    name: "a LoRA with a flipped bit",
    arrange: async (cwd) => {
      await bytesOf(lora, flipped)(cwd);
      await rename(join(cwd, lora), join(cwd, copy));
      await loads(cwd);
    },
  },
  {
    name: "a checkpoint in a LoRA's place",
    arrange: setting("model", "load_checkpoint: models/tiny-ltx2.safetensors"),
  },
  { name: "no LoRA where one is named", arrange: setting("model", "load_checkpoint: nowhere.safetensors") },
  {
    name: "a LoRA for a full training",
    arrange: async (cwd) => {
      await replace("train.yaml", "training_mode: lora", "training_mode: full")(cwd);
      await setting("model", `load_checkpoint: ${lora}`)(cwd);
    },
  },
  {
    name: "another model's weights for a full training",
    arrange: async (cwd) => {
      await replace("train.yaml", "training_mode: lora", "training_mode: full")(cwd);
      await rewritten(
        "models/tiny-ltx2.safetensors",
        { change: (tensor) => (tensor.name.endsWith("attn1.to_q.weight") ? reshaped(tensor.name, [8, 64]) : tensor) },
        copy,
        true,
      )(cwd);
      await loads(cwd);
    },
  },
  { name: "nothing left to do", arrange: resumed(replace("train.yaml", /steps: \d+/, "steps: 2")) },
  {
    name: "a run resumed with other params",
    arrange: resumed(replace("train.yaml", "mask_threshold: 0.5", "mask_threshold: 0.25")),
  },
  { name: "a run resumed with another seed", arrange: resumed(replace("train.yaml", "seed: 42", "seed: 43")) },
  { name: "a run resumed with fewer samples", arrange: resumed((cwd) => rm(join(cwd, "data/latents/clip_2.pt"))) },
  {
    name: "a run resumed with other data",
    arrange: resumed((cwd) => cp(join(cwd, "data/latents/clip_1.pt"), join(cwd, "data/latents/clip_2.pt"))),
  },
  { name: "a damaged training state", arrange: resumed(bytesOf(state, flipped)) },
  {
    name: "a resume without its training state",
    arrange: resumed((cwd) => rm(join(cwd, state))),
    isMild: true,
  },
  { name: "a training state cut off", arrange: resumed(bytesOf(state, (bytes) => bytes.subarray(0, -50))) },
  {
    name: "a training state of another step",
    arrange: resumed(
      (cwd) => rename(join(cwd, state), join(cwd, state.replace("00002", "00001"))),
      (cwd) => rename(join(cwd, lora), join(cwd, lora.replace("00002", "00001"))),
    ),
  },
  {
    name: "a training state cut off, in another folder",
    arrange: async (cwd) => {
      await bytesOf(state, (bytes) => bytes.subarray(0, -50))(cwd);
      await setting("model", `load_checkpoint: ${folder}`)(cwd);
    },
  },
  { name: "damaged weights of the run that goes on", arrange: resumed(bytesOf(lora, flipped)) },
];
