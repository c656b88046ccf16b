/**
 * Time and memory of a train step against the number of tokens and of blocks, with fitted exponents (aim: memory linear in both). Width
 * 512, rank 16, float32. Arguments: the engine (onnx, or torch on the CPU), the most tokens (8192), and then `checkpointed` for gradient
 * checkpointing, and `tokens` or `blocks` for one of the two alone.
 */
import { rm } from "node:fs/promises";
import { foretold, taken } from "./foretold-and-taken.ts";
import { largeProject, type ProjectSize } from "./large-project.ts";
import { useTorch } from "./use-torch.ts";

const [engine = "onnx", most = "8192", ...words] = process.argv.slice(2);
if (engine === "torch") await useTorch();
const set = [
  `runtime.engine=${engine}`,
  "runtime.provider=cpu",
  'acceleration.mixed_precision_mode="no"',
  `optimization.enable_gradient_checkpointing=${words.includes("checkpointed")}`,
].flatMap((setting) => ["--set", setting]);

const steps = 5;
const model = { heads: 8, headDim: 64 };

interface Point {
  readonly x: number;
  readonly seconds: number;
  readonly bytes: number;
}

async function measure(x: number, size: ProjectSize): Promise<Point> {
  const folder = await largeProject(size, { steps, interval: "null", rank: 16, alpha: 16 });
  try {
    const plan = foretold(folder, ...set);
    const { seconds, bytes } = taken(folder, ...set);
    const mebibytes = (count: number) => `${(count / 2 ** 20).toFixed(0)} MiB`;
    console.log(
      `  ${String(x).padStart(5)}  ${seconds.toFixed(2)} s (foretold ${plan.secondsPerStep.toFixed(2)})  ` +
        `${mebibytes(bytes)} (foretold ${mebibytes(plan.residentBytes)})`,
    );
    return { x, seconds, bytes };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Least squares in logarithms: y grows with this power of x. */
function exponent(points: readonly Point[], y: (point: Point) => number): string {
  const logs = points.map((point) => [Math.log(point.x), Math.log(y(point))] as const);
  const mean = (i: 0 | 1) => logs.reduce((sum, pair) => sum + pair[i], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const slope =
    logs.reduce((sum, [a, b]) => sum + (a - mx) * (b - my), 0) / logs.reduce((sum, [a]) => sum + (a - mx) ** 2, 0);
  return slope.toFixed(2);
}

/** What the process takes with nothing to do; with PyTorch's library more. */
const base = (engine === "torch" ? 410 : 325) * 2 ** 20;

function report(points: readonly Point[]): void {
  console.log(
    `  exponents: time ${exponent(points, ({ seconds }) => seconds)},` +
      ` memory besides the process's own ${exponent(points, ({ bytes }) => Math.max(1, bytes - base))}`,
  );
}

/** Measures at each of these sizes. */
async function scale(title: string, sizes: readonly (readonly [x: number, size: ProjectSize])[]): Promise<void> {
  console.log(`\n${title}, ${engine}${words.includes("checkpointed") ? ", checkpointed" : ""}`);
  const points: Point[] = [];
  for (const [x, size] of sizes) points.push(await measure(x, size));
  report(points);
}

const frames = [4, 8, 16, 32, 64, 128].filter((count) => 64 * count <= Number(most));
if (!words.includes("blocks"))
  await scale(
    "Tokens, with 2 blocks",
    frames.map((count) => [64 * count, { ...model, layers: 2, grid: [count, 8, 8] }]),
  );
if (!words.includes("tokens"))
  await scale(
    "Blocks, with 512 tokens",
    [1, 2, 4, 8, 16].map((layers) => [layers, { ...model, layers, grid: [8, 8, 8] }]),
  );
