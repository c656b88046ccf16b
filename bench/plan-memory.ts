/**
 * The memory that `ltxc plan` foretells against the peak that `ltxc run` then takes, in twelve settings (aim: within 10 %): engines, streaming,
 * 8 bits, checkpointing, full training, a small and the real width. Each in a process of its own, as a user would. Needs PyTorch. Arguments:
 * words of the names of the settings to try.
 */
import { rm } from "node:fs/promises";
import { foretold, taken } from "./foretold-and-taken.ts";
import { largeProject, type ProjectSize } from "./large-project.ts";
import { useTorch } from "./use-torch.ts";

const words = process.argv.slice(2);
await useTorch();

/** The first step records, the second one makes the state of the optimizer, the third one uses both. */
const STEPS = 3;

const checkpointed = "optimization.enable_gradient_checkpointing=true";
const streamed = "runtime.offload=blocks";
const int8 = "acceleration.quantization=int8-quanto";
const full = "model.training_mode=full";
const [onnx, torch] = ["runtime.engine=onnx", "runtime.engine=torch"];

interface Size {
  readonly project: ProjectSize;
  readonly settings: Readonly<Record<string, readonly string[]>>;
}

const sizes: Readonly<Record<string, Size>> = {
  "width 512, 8 blocks, 512 tokens": {
    project: { heads: 8, headDim: 64, layers: 8, grid: [8, 8, 8] },
    settings: {
      onnx: [onnx],
      "onnx, checkpointed": [onnx, checkpointed],
      "onnx, checkpointed, all weights": [onnx, checkpointed, full],
      torch: [torch],
      "torch, checkpointed": [torch, checkpointed],
      "torch, checkpointed, streamed": [torch, checkpointed, streamed],
      "torch, checkpointed, int8": [torch, checkpointed, int8],
      "torch, all weights": [torch, full],
    },
  },
  "width 4096, 1 block, 256 tokens": {
    project: { heads: 32, headDim: 128, layers: 1, grid: [4, 8, 8], rows: 64 },
    settings: {
      onnx: [onnx],
      torch: [torch],
      "torch, checkpointed, streamed": [torch, checkpointed, streamed],
      "torch, checkpointed, int8": [torch, checkpointed, int8],
    },
  },
};

const MiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

function compare(folder: string, name: string, own: readonly string[]): void {
  const set = ["runtime.provider=cpu", 'acceleration.mixed_precision_mode="no"', ...own].flatMap((x) => ["--set", x]);
  const plan = foretold(folder, ...set);
  const { bytes } = taken(folder, ...set, "--overwrite");
  const ratio = (plan.residentBytes / bytes).toFixed(2);
  console.log(`  ${name}: ${MiB(plan.residentBytes)} foretold, ${MiB(bytes)} taken, ratio ${ratio}`);
}

for (const [size, { project, settings }] of Object.entries(sizes)) {
  const chosen = Object.entries(settings).filter(([name]) => words.every((word) => `${size}, ${name}`.includes(word)));
  if (chosen.length === 0) continue;
  const folder = await largeProject(project, { steps: STEPS, interval: "null", rank: 16, alpha: 16 });
  try {
    for (const [name, own] of chosen) compare(folder, `${size}, ${name}`, own);
  } finally {
    await rm(folder, { recursive: true });
  }
}
