import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openSafetensors, writeSafetensors, type OutputTensor } from "../../../runtime/files/safetensors/index.ts";
import { writeModel } from "../../init/model.ts";
import { bytesOf, replace, setting, type BrokenInput } from "./broken-input.ts";

const model = "models/tiny-ltx2.safetensors";

interface Rewritten {
  readonly keep?: (name: string) => boolean;
  readonly change?: (tensor: OutputTensor) => OutputTensor;
  readonly metadata?: (metadata: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
}

/** Writes one of the project's safetensors files anew, with other tensors or metadata. */
export const rewritten =
  (
    file: string,
    { keep = () => true, change = (tensor) => tensor, metadata = (same) => same }: Rewritten,
    to = file,
    isKept = false,
  ) =>
  async (cwd: string): Promise<void> => {
    const opened = await openSafetensors(join(cwd, file));
    const tensors: OutputTensor[] = [];
    for (const [name, { shape, dtype }] of opened.tensors)
      if (keep(name)) tensors.push(change({ name, shape, dtype, data: await opened.read(name) }));
    await opened.close();
    if (!isKept) await rm(join(cwd, file));
    await writeSafetensors(join(cwd, to), tensors, metadata(opened.metadata));
  };

/** A tensor of zeros of another shape. */
export const reshaped = (name: string, shape: readonly number[]): OutputTensor => ({
  name,
  shape,
  dtype: "F32",
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

const query = /transformer_blocks\.0\.attn1\.to_q\.weight$/;

/** Whatever of a checkpoint can be wrong. */
export const brokenModels: readonly BrokenInput[] = [
  { name: "no checkpoint", arrange: (cwd) => rm(join(cwd, model)) },
  { name: "a folder as checkpoint", arrange: setting("model", "model_path: models/") },
  { name: "an address as checkpoint", arrange: setting("model", "model_path: https://example.org/a.safetensors") },
  { name: "an empty checkpoint", arrange: bytesOf(model, () => Buffer.alloc(0)) },
  { name: "a checkpoint cut off", arrange: bytesOf(model, (bytes) => bytes.subarray(0, bytes.length - 1000)) },
  { name: "a GGUF file", arrange: bytesOf(model, () => Buffer.from("GGUF\x03\0\0\0")) },
  { name: "a web page as checkpoint", arrange: bytesOf(model, () => Buffer.from("<html><body>404</body></html>")) },
  { name: "a checkpoint without a config", arrange: rewritten(model, { metadata: () => ({}) }) },
  { name: "a checkpoint without a block's weight", arrange: rewritten(model, { keep: (name) => !query.test(name) }) },
  {
    name: "a weight of another shape",
    arrange: rewritten(model, {
      change: (tensor) => (query.test(tensor.name) ? reshaped(tensor.name, [3, 3]) : tensor),
    }),
  },
  {
    name: "a checkpoint without connectors",
    arrange: rewritten(model, { keep: (name) => name.startsWith("model.diffusion_model.transformer_blocks") }),
  },
  {
    name: "a LoRA as checkpoint",
    arrange: setting("model", "model_path: trained/checkpoints/lora_weights_step_00002.safetensors"),
  },
  { name: "a config as checkpoint", arrange: setting("model", "model_path: train.yaml") },
  {
    name: "a model of other latents",
    arrange: (cwd) => writeModel(join(cwd, model), { in_channels: 16, out_channels: 16 }),
  },
  {
    name: "targets that no layer has",
    arrange: replace("train.yaml", /(target_modules:\n)(?: {4}- .*\n)+/, "$1    - nothing.like_it\n"),
  },
  {
    name: "targets of audio alone",
    arrange: replace("train.yaml", /(target_modules:\n)(?: {4}- .*\n)+/, "$1    - audio_attn1.to_q\n"),
  },
  {
    name: "a folder as autoencoder",
    arrange: async (cwd) => {
      await mkdir(join(cwd, "vae"));
      await writeFile(join(cwd, "vae/readme"), "");
      await setting("model", "video_vae_path: vae")(cwd);
    },
  },
];
