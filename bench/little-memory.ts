/**
 * One step of a model of real width and depth with blocks that wait on the host, by processes that may have 12 GB of memory of their own
 * (`ulimit -d`; pages of the model's file, which the system can always take back, do not count. To limit these as well, run it in a control
 * group: `systemd-run --scope -p MemoryMax=12G npm run bench -- little-memory`). Engine `torch` on the CPU, float32, checkpointed. Of each
 * matrix of a block 128 rows are random: the file of 36 GiB takes 2.6 GiB on the disk. Argument: blocks (48).
 */
import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { largeProject } from "./large-project.ts";
import { testTorch } from "../runtime/testing/test-torch.ts";
import { useTorch } from "./use-torch.ts";

const [blocks = "48"] = process.argv.slice(2);
// The reason has been printed.
if ((await testTorch()) === null) process.exit(0);
await useTorch();

const LIMIT = 12e9;
const ltxc = fileURLToPath(new URL("../dist/ltxc.mjs", import.meta.url));
const set = [
  "runtime.engine=torch",
  "runtime.provider=cpu",
  'acceleration.mixed_precision_mode="no"',
  "optimization.enable_gradient_checkpointing=true",
  "runtime.offload=blocks",
].flatMap((setting) => ["--set", setting]);

/** The last line that a command prints in JSON, as an object. */
function limited(cwd: string, ...args: readonly string[]): Record<string, unknown> {
  const shell = [
    "-c",
    'ulimit -d "$0" && exec "$@"',
    String(Math.floor(LIMIT / 1024)),
    process.execPath,
    ltxc,
    "--json",
  ];
  const { stdout, stderr, status } = spawnSync("bash", [...shell, ...args], { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`ltxc ${args.join(" ")} failed:\n${stdout}${stderr}`);
  const lines = stdout.trim().split("\n");
  const line = args[0] === "run" ? lines.findLast((each) => each.includes('"type":"step"')) : lines[0];
  return JSON.parse(line ?? "{}") as Record<string, unknown>;
}

const size = {
  heads: 32,
  headDim: 128,
  layers: Number(blocks),
  grid: [1, 2, 2],
  rows: 128,
  textTokens: 128,
} as const;
const folder = await largeProject(size, { steps: 1, interval: "null", rank: 16, alpha: 16 });
try {
  console.log(`\nOne step of ${blocks} blocks of width 4096, 4 tokens, in ${LIMIT / 1e9} GB`);
  const GiB = (bytes: unknown) => `${(Number(bytes) / 2 ** 30).toFixed(1)} GiB`;
  console.log(`  foretold: ${GiB(limited(folder, "plan", ...set)["residentBytes"])}`);
  const began = performance.now();
  const { loss, gradNorm, secondsPerStep, peakMemoryBytes } = limited(folder, "run", ...set, "--overwrite");
  console.log(
    `  taken: ${GiB(peakMemoryBytes)}, the step ${Number(secondsPerStep).toFixed(0)} s, all ${((performance.now() - began) / 1000).toFixed(0)} s; loss ${loss}, gradient ${gradNorm}`,
  );
} finally {
  await rm(folder, { recursive: true });
}
