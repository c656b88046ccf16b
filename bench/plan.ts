/**
 * What `ltxc plan` foretells against what `ltxc run` then takes, at three sizes of model (aim: memory and time within 15 %). Each in a
 * process of its own, as a user would. The argument is the engine: `onnx`, if left away, `torch` (both float32) or `torch-bf16`.
 */
import { rm } from "node:fs/promises";
import { foretold, taken } from "./foretold-and-taken.ts";
import { useTorch } from "./use-torch.ts";
import { largeProject, type ProjectSize } from "./large-project.ts";

const steps = 6;
const side = process.argv[2] ?? "onnx";
const engine = side.split("-")[0] ?? "";
if (engine === "torch") await useTorch();

const sizes: Readonly<Record<string, ProjectSize>> = {
  "width 512, 2 blocks, 1,024 tokens": { heads: 8, headDim: 64, layers: 2, grid: [16, 8, 8] },
  "width 512, 8 blocks, 512 tokens": { heads: 8, headDim: 64, layers: 8, grid: [8, 8, 8] },
  "width 1024, 4 blocks, 2,048 tokens": { heads: 16, headDim: 64, layers: 4, grid: [32, 8, 8] },
  "width 4096, 1 block, 1,024 tokens": { heads: 32, headDim: 128, layers: 1, grid: [16, 8, 8] },
};

const percent = (a: number, b: number) => `${((a / b - 1) * 100).toFixed(0)} %`;

console.log(`\nA plan against ${steps} steps of the run on ${side}, aim: within 15 %`);
for (const [name, size] of Object.entries(sizes)) {
  for (const checkpointing of [false, true]) {
    const folder = await largeProject(size, { steps, interval: "null", rank: 16, alpha: 16 });
    const precision = side.endsWith("bf16") ? "bf16" : '"no"';
    const settings = [
      `runtime.engine=${engine}`,
      `acceleration.mixed_precision_mode=${precision}`,
      `optimization.enable_gradient_checkpointing=${checkpointing}`,
    ];
    const set = settings.flatMap((setting) => ["--set", setting]);
    try {
      const plan = foretold(folder, ...set);
      const { seconds, bytes } = taken(folder, ...set);
      const memory = `${(plan.residentBytes / 2 ** 20).toFixed(0)} MiB, taken ${(bytes / 2 ** 20).toFixed(0)}, off by ${percent(plan.residentBytes, bytes)}`;
      const time = `${plan.secondsPerStep.toFixed(2)} s, taken ${seconds.toFixed(2)}, off by ${percent(plan.secondsPerStep, seconds)}`;
      console.log(`  ${name}${checkpointing ? ", checkpointed" : ""}: ${memory}; ${time}`);
    } finally {
      await rm(folder, { recursive: true });
    }
  }
}
