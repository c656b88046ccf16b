import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { replace, setting, type BrokenInput } from "./broken-input.ts";

const written = (from: string | RegExp, to: string) => replace("train.yaml", from, to);
const strategy = (from: string | RegExp, to: string) => replace("inpainting.strategy", from, to);

/** Whatever of a run config, and of the strategy that it names, can be wrong. */
export const brokenSettings: readonly BrokenInput[] = [
  { name: "an unknown key", arrange: written("batch_size:", "batchsize:") },
  { name: "a number that is too small", arrange: written(/steps: \d+/, "steps: 0") },
  { name: "a word where a number belongs", arrange: written(/batch_size: \d+/, "batch_size: two") },
  { name: "a rank below one", arrange: written("rank: 8", "rank: 0") },
  { name: "a scheduler that is none", arrange: written("scheduler_type: linear", "scheduler_type: cosin") },
  { name: "no section lora", arrange: written(/^lora:\n(?: {2}.*\n)+/m, "") },
  { name: "no section model", arrange: written(/^model:\n(?: {2}.*\n)+/m, "") },
  { name: "YAML that is broken", arrange: written("lora:", "lora: [") },
  { name: "a key twice", arrange: written("  rank: 8", "  rank: 8\n  rank: 9") },
  { name: "a param beyond its maximum", arrange: written("mask_threshold: 0.5", "mask_threshold: 1.5") },
  { name: "a param of another type", arrange: written("mask_threshold: 0.5", "mask_threshold: half") },
  { name: "a param that is none", arrange: written("mask_threshold:", "mask_treshold:") },
  {
    name: "a param that breaks its pattern",
    says: "LTX6510",
    arrange: strategy("default: mask_latents,", 'default: mask_latents, pattern: "^masks",'),
  },
  { name: "a strategy that is not there", arrange: written("name: inpainting", "name: outpainting_of_mine") },
  { name: "a strategy with an error", arrange: strategy("not inpaint", "not inpant"), says: "LTX6510" },
  { name: "a quantized base", arrange: setting("acceleration", "quantization: int8-quanto") },
  { name: "a provider that is not there", arrange: setting("runtime", "engine: onnx", "provider: webgpu") },
  { name: "a library that is not there", arrange: setting("runtime", "engine: onnx", "provider: cuda") },
  { name: "an engine that is not there", arrange: setting("runtime", "engine: torch", "torch: ./nowhere") },
  {
    name: "adapters larger than a tensor can be",
    arrange: written(/rank: 8\n {2}alpha: 8/, "rank: 90000000\n  alpha: 8"),
  },
  { name: "all samples held out", arrange: setting("evaluation", "samples: 8") },
  { name: "so many held out that no batch is left", arrange: setting("evaluation", "samples: 7") },
  {
    name: "a sample to draw without its captions",
    arrange: setting("validation", "interval: 2", "samples: [{conditions_file: nowhere.pt, video_dims: [64, 64, 9]}]"),
  },
  { name: "a learning rate that is not finite", arrange: written(/learning_rate: \S+/, "learning_rate: .inf") },
  {
    name: "a learning rate with which the loss overflows",
    arrange: written(/learning_rate: \S+/, "learning_rate: 1e30"),
    says: "LTX6251",
  },
  {
    name: "an import that is not there",
    arrange: async (cwd) => {
      const type = "(x: tokens:video) -> f32[batch, token:video]";
      await strategy("let:", `imports:\n  f: {from: ./nowhere.ts, type: "${type}"}\n\nlet:`)(cwd);
      await strategy("keep: not inpaint", "keep: f(tokens(masks)) > 0")(cwd);
    },
    says: "LTX6510",
  },
  {
    name: "features of another width than the data's",
    arrange: async (cwd) => {
      await rm(join(cwd, "inpainting.strategy"));
      await writeFile(join(cwd, "inpainting.strategy"), headMismatch);
    },
  },
];

const headMismatch = `strategy: inpainting
params:
  mask_latents_dir: {type: string, default: mask_latents}
  mask_threshold: {type: number, default: 0.5}
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  wide: {directory: latents, kind: tensor, key: latents, axes: [feature, frame, height, width]}
video:
  latents: latents
outputs:
  middle: {tap: block 1, modality: video}
  narrow: {linear: middle, features: 7}
loss:
  video: mse(video.prediction, video.target)
  align: 0.5 * cosine_distance(narrow, tokens(wide))
`;
