/**
 * The compiler in one process: 1,000 different strategies, one file checked again and again, and cost against length. Prints the median and
 * the 99th percentile of wall times; the exponent is that of a power fitted to lengths and times, 1 for a cost in proportion.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { emitModule } from "../compiler/4-emit/typescript/module.ts";
import { check, compile, compilePython } from "../compiler/index.ts";
import { strategyWith } from "../scripts/fuzz-strategies.ts";

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function summary(times: readonly number[]): string {
  return `median ${quantile(times, 0.5).toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms`;
}

/** Grown strategies that both back ends compile, each another one; those that extend nothing. */
function differentStrategies(count: number): string[] {
  const found = new Set<string>();
  for (let seed = 1; found.size < count; seed++)
    for (const { text, base } of fc.sample(strategyWith, { numRuns: 200, seed }))
      if (found.size < count && base === null && compilePython({ path: "a.strategy", text }).artifacts.length > 0)
        found.add(text);
  return [...found];
}

/** Both back ends on the same strategies in turns, from text to text: TypeScript without its bundle, and Python. */
function backEnds(): void {
  const typescript: number[] = [];
  const python: number[] = [];
  const rest = { compiler: "", contract: 0, sourceHash: "", paramsSchema: {} };
  for (const [i, text] of differentStrategies(1000).entries()) {
    const source = { path: "a.strategy", text };
    const toTypescript = () => {
      const { program, file } = check(source);
      if (program !== null) emitModule(program, { ...rest, source: file });
    };
    const toPython = () => {
      if (compilePython(source).artifacts.length === 0) throw new Error("a strategy was not compiled to Python");
    };
    const turns = [
      [toTypescript, typescript],
      [toPython, python],
    ] as const;
    // Each begins every other time: the second finds caches warm.
    for (const [run, times] of i % 2 === 0 ? turns : turns.toReversed()) {
      const start = performance.now();
      run();
      times.push(performance.now() - start);
    }
  }
  const ratio = quantile(python, 0.5) / quantile(typescript, 0.5);
  console.log(`\n1,000 different strategies to TypeScript, no bundles: ${summary(typescript)}`);
  console.log(`the same to Python: ${summary(python)}, ${ratio.toFixed(2)} times as long (aim: at most 1.5)`);
}

async function many(): Promise<void> {
  const times: number[] = [];
  let peak = 0;
  for (const text of differentStrategies(1000)) {
    const start = performance.now();
    const { artifacts } = await compile({ path: "a.strategy", text });
    times.push(performance.now() - start);
    if (artifacts === null) throw new Error("a strategy without errors was not compiled");
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  console.log(`\nCompile 1,000 different strategies in one process, bundles included: ${summary(times)} per file`);
  console.log(`  resident memory at most ${megabytes(peak)}`);
}

/** What an editor does at every key: the same file with one number changed. */
function again(name: string): void {
  const text = readFileSync(new URL(`../examples/${name}/${name}.strategy`, import.meta.url), "utf8");
  const times = Array.from({ length: 300 }, (_, i) => {
    const start = performance.now();
    check({ path: "a.strategy", text: text.replace("description:", `description: ${i}`) });
    return performance.now() - start;
  });
  console.log(`Check ${name}.strategy again, warm: ${summary(times.slice(100))} (aim: under 5 ms)`);
}

const head = `strategy: long
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  marked: {directory: marked, kind: video_mask}
video:
  latents: latents
  keep: first_frame
let:
`;

function long(bindings: readonly string[], last: string): string {
  const lets = bindings.map((line) => `  ${line}\n`).join("");
  return `${head}${lets}loss:\n  l: mse(video.prediction, video.target) over (${last} and video.generated)\n`;
}

const shapes: Readonly<Record<string, (count: number) => string>> = {
  "each made of the one before": (count) => {
    const next = Array.from({ length: count - 1 }, (_, i) => `x${i + 1}: x${i} * 0.5 + ${i}`);
    return long(["x0: marked", ...next], `x${count - 1} > 0`);
  },
  "each for itself": (count) =>
    long(
      Array.from({ length: count }, (_, i) => `x${i}: mean(tokens(latents), channel) > ${i}`),
      `x${count - 1}`,
    ),
};

/** Slope of the line through the points on logarithmic scales. */
function exponent(points: readonly (readonly [number, number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (of: (point: readonly [number, number]) => number) => logs.reduce((s, p) => s + of(p), 0) / logs.length;
  const [mx, my] = [mean(([x]) => x), mean(([, y]) => y)];
  return mean(([x, y]) => (x - mx) * (y - my)) / mean(([x]) => (x - mx) ** 2);
}

function againstLength(): void {
  for (const [name, make] of Object.entries(shapes)) {
    // About as many as a file may hold.
    const points = [10, 100, 1000, 5000].map((count) => {
      const text = make(count);
      const times = Array.from({ length: count > 1000 ? 3 : 9 }, () => {
        const start = performance.now();
        if (check({ path: "a.strategy", text }).program === null) throw new Error(`${count} bindings have errors`);
        return performance.now() - start;
      });
      return [count, Math.min(...times)] as const;
    });
    const shown = points.map(([count, time]) => `${count}: ${time.toFixed(1)} ms`).join(", ");
    const long = points.filter(([count]) => count >= 100);
    console.log(`Check \`let\` bindings, ${name}: ${shown}; exponent from 100 on ${exponent(long).toFixed(2)}`);
  }
}

await many();
backEnds();
again("inpainting");
again("representation_alignment");
againstLength();
