/**
 * Weights of blocks that wait on the host: what a plan foretells and a run takes, on the engine `torch` on the CPU in float32, where device
 * and host are one (aims: time at most 1.2 of the run without, memory within 10 % of the plan). The model has the real width. Runs with and
 * without take turns. Arguments: blocks (4), steps (5), latent frames of 8 x 8 cells (2), rounds (2).
 */
import { rm } from "node:fs/promises";
import { foretold, taken } from "./foretold-and-taken.ts";
import { largeProject } from "./large-project.ts";
import { testTorch } from "../runtime/testing/test-torch.ts";
import { useTorch } from "./use-torch.ts";

const [blocks = "4", steps = "5", frames = "2", rounds = "2"] = process.argv.slice(2);
// The reason has been printed.
if ((await testTorch()) === null) process.exit(0);
await useTorch();

const MiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const size = {
  heads: 32,
  headDim: 128,
  layers: Number(blocks),
  grid: [Number(frames), 8, 8],
  rows: Infinity,
  textTokens: 128,
} as const;
const folder = await largeProject(size, { steps: Number(steps), interval: "null", rank: 16, alpha: 16 });

/** One run and its plan. Seconds of a step. */
function measure(offload: string, isCheckpointed: boolean): number {
  const set = [
    "runtime.engine=torch",
    "runtime.provider=cpu",
    'acceleration.mixed_precision_mode="no"',
    `optimization.enable_gradient_checkpointing=${isCheckpointed}`,
    `runtime.offload=${offload}`,
  ].flatMap((setting) => ["--set", setting]);
  const plan = foretold(folder, ...set);
  const { seconds, bytes } = taken(folder, ...set, "--overwrite");
  const off = `${((plan.residentBytes / bytes - 1) * 100).toFixed(0)} %`;
  const name = `offload: ${offload}${isCheckpointed ? ", checkpointed" : ""}`;
  console.log(
    `  ${name}: ${seconds.toFixed(2)} s; ${MiB(plan.residentBytes)} foretold, ${MiB(bytes)} taken, off by ${off}`,
  );
  return seconds;
}

console.log(`\n${blocks} blocks of width 4096, ${64 * Number(frames)} tokens, ${steps} steps`);
try {
  for (const isCheckpointed of [false, true]) {
    let [without, streamed] = [Infinity, Infinity];
    for (let round = 0; round < Number(rounds); round++) {
      without = Math.min(without, measure("none", isCheckpointed));
      streamed = Math.min(streamed, measure("blocks", isCheckpointed));
    }
    console.log(`  ratio of the least: ${(streamed / without).toFixed(2)}, aim: at most 1.2`);
    if (!(streamed <= 1.2 * without)) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true });
}
