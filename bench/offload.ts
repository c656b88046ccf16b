/**
 * Weights of blocks that wait on the host: what a plan foretells and a run takes, on the engine `torch` on the CPU in float32, where device
 * and host are one (aims: time at most 1.2 of the run without, memory within 10 % of the plan). The model has the real width, and zeros that
 * take no room on the disk. Arguments: blocks (4), steps (3: with zeros, more would end as a run that trains nothing), latent frames of 8 x 8 cells (4).
 */
import { rm } from "node:fs/promises";
import { foretold, taken } from "./foretold-and-taken.ts";
import { largeProject } from "./large-project.ts";
import { useTorch } from "./use-torch.ts";

const [blocks = "4", steps = "3", frames = "4"] = process.argv.slice(2);
await useTorch();

const MiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const size = { heads: 32, headDim: 128, layers: Number(blocks), grid: [Number(frames), 8, 8], isSparse: true } as const;
const folder = await largeProject(size, { steps: Number(steps), interval: "null", rank: 16, alpha: 16 });
console.log(`\n${blocks} blocks of width 4096, ${64 * Number(frames)} tokens, ${steps} steps`);
try {
  for (const checkpointing of [false, true])
    for (const offload of ["none", "blocks"]) {
      const settings = [
        "runtime.engine=torch",
        "runtime.provider=cpu",
        'acceleration.mixed_precision_mode="no"',
        `optimization.enable_gradient_checkpointing=${checkpointing}`,
        `runtime.offload=${offload}`,
      ];
      const set = settings.flatMap((setting) => ["--set", setting]);
      const plan = foretold(folder, ...set);
      const { seconds, bytes } = taken(folder, ...set, "--overwrite");
      const off = `${((plan.residentBytes / bytes - 1) * 100).toFixed(0)} %`;
      const name = `offload: ${offload}${checkpointing ? ", checkpointed" : ""}`;
      console.log(
        `  ${name}: ${seconds.toFixed(2)} s; ${MiB(plan.residentBytes)} foretold, ${MiB(bytes)} taken, off by ${off}`,
      );
    }
} finally {
  await rm(folder, { recursive: true });
}
