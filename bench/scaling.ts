/**
 * Time and memory of a train step against the number of tokens and of blocks, with fitted exponents (aim: memory linear in both). Width
 * 512, rank 16, on onnx.
 */
import { rm } from "node:fs/promises";
import { foretold, taken } from "./foretold-and-taken.ts";
import { largeProject, type ProjectSize } from "./large-project.ts";

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
    const plan = foretold(folder);
    const { seconds, bytes } = taken(folder);
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

/** What the process takes with nothing to do. */
const base = 325 * 2 ** 20;

function report(points: readonly Point[]): void {
  console.log(
    `  exponents: time ${exponent(points, ({ seconds }) => seconds)},` +
      ` memory beside the process's own ${exponent(points, ({ bytes }) => Math.max(1, bytes - base))}`,
  );
}

console.log("\nTokens, with 2 blocks");
const tokens: Point[] = [];
for (const frames of [4, 8, 16, 32, 64, 128]) {
  tokens.push(await measure(frames * 64, { ...model, layers: 2, grid: [frames, 8, 8] }));
}
report(tokens);
console.log("\nBlocks, with 512 tokens");
const blocks: Point[] = [];
for (const layers of [1, 2, 4, 8, 16]) blocks.push(await measure(layers, { ...model, layers, grid: [8, 8, 8] }));
report(blocks);
