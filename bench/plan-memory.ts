/**
 * The memory that `ltxc plan` foretells against the peak that `ltxc run` then takes, in twelve settings (aim: within 10 %): engines, streaming,
 * 8 bits, checkpointing. Each in a process of its own, as a user would. Needs PyTorch. Arguments: words of the names of the settings to try.
 */
import { rm } from "node:fs/promises";
import { foretold, taken } from "./foretold-and-taken.ts";
import { largeProject, type ProjectSize } from "./large-project.ts";
import { useTorch } from "./use-torch.ts";

const words = process.argv.slice(2);
await useTorch();

const sizes = {
  "width 512, 8 blocks, 512 tokens": { heads: 8, headDim: 64, layers: 8, grid: [8, 8, 8] },
  "width 1024, 4 blocks, 1,024 tokens": { heads: 16, headDim: 64, layers: 4, grid: [16, 8, 8] },
} as const satisfies Readonly<Record<string, ProjectSize>>;

const [checkpointed, streamed] = ["optimization.enable_gradient_checkpointing=true", "runtime.offload=blocks"];
const int8 = "acceleration.quantization=int8-quanto";
const settings: Readonly<Record<string, readonly string[]>> = {
  onnx: ["runtime.engine=onnx"],
  "onnx, checkpointed": ["runtime.engine=onnx", checkpointed],
  torch: ["runtime.engine=torch"],
  "torch, checkpointed": ["runtime.engine=torch", checkpointed],
  "torch, checkpointed, streamed": ["runtime.engine=torch", checkpointed, streamed],
  "torch, checkpointed, int8": ["runtime.engine=torch", checkpointed, int8],
};

const MiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
for (const [size, project] of Object.entries(sizes)) {
  const folder = await largeProject(project, { steps: 4, interval: "null", rank: 16, alpha: 16 });
  try {
    for (const [name, own] of Object.entries(settings)) {
      if (words.length > 0 && !words.every((word) => `${size}, ${name}`.includes(word))) continue;
      const set = ["runtime.provider=cpu", 'acceleration.mixed_precision_mode="no"', ...own].flatMap((x) => [
        "--set",
        x,
      ]);
      const plan = foretold(folder, ...set);
      const { bytes } = taken(folder, ...set, "--overwrite");
      const off = `${((plan.residentBytes / bytes - 1) * 100).toFixed(0)} %`;
      console.log(`  ${size}, ${name}: ${MiB(plan.residentBytes)} foretold, ${MiB(bytes)} taken, off by ${off}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
