import { performance } from "node:perf_hooks";
import type { Tensor } from "../contract.ts";
import type { Engine } from "./engine.ts";

/** How fast an engine computes here, in float32. */
export interface EngineSpeed {
  /** Products of large square matrices, in 10^9 floating-point operations per second. */
  readonly matmulGflops: number;
  /** Reading and writing large arrays element by element, in 10^9 bytes per second. */
  readonly bandwidthGBs: number;
}

/** Milliseconds that a measurement should take at least, so that the clock's resolution and the overhead of a call do not matter. */
const LEAST_MS = 40;
/** How often each size is measured. The fastest measurement counts: other programs slow the rest down. */
const ROUNDS = 4;

/** Measures an engine; takes about one second, and a few on slow engines. */
export async function measureEngine(engine: Engine): Promise<EngineSpeed> {
  const { ops } = engine;
  const product = await rateOf(engine, {
    sizes: [128, 512, 1024, 2048],
    shape: (n) => [n, n],
    work: (n) => 2 * n ** 3,
    compute: (x) => ops.matMul(x, x),
  });
  // Each element is read once (both operands are the same array) and written once, 4 bytes each.
  const moved = await rateOf(engine, {
    sizes: [2 ** 16, 2 ** 20, 2 ** 23, 2 ** 24],
    shape: (n) => [n],
    work: (n) => 4 * 2 * n,
    compute: (x) => ops.mul(x, x),
  });
  return { matmulGflops: product / 1e9, bandwidthGBs: moved / 1e9 };
}

interface Kernel {
  /** From the smallest to the largest. */
  readonly sizes: readonly number[];
  shape(size: number): readonly number[];
  work(size: number): number;
  compute(x: Tensor): Tensor;
}

/** Work per second at the first size that takes long enough, or at the largest. */
async function rateOf(engine: Engine, { sizes, shape, work, compute }: Kernel): Promise<number> {
  let rate = 0;
  for (const size of sizes) {
    const data = new Float32Array(shape(size).reduce((a, b) => a * b, 1)).fill(0.5);
    const x = engine.keep({ shape: shape(size), dtype: "float32", data });
    const fastest = await fastestOf(engine, () => compute(x));
    engine.dispose(x);
    rate = work(size) / (fastest / 1000);
    if (fastest >= LEAST_MS) break;
  }
  return rate;
}

/** Milliseconds of the fastest run, after one that warms up. Reads only one number of the result, but waits for all of it. */
async function fastestOf(engine: Engine, compute: () => Tensor): Promise<number> {
  const { ops } = engine;
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const began = performance.now();
    const end = engine.tidy(() => {
      const made = compute();
      const { shape } = made;
      return ops.slice(
        made,
        shape.map(() => 0),
        shape.map(() => 1),
      );
    });
    await engine.read(end);
    engine.dispose(end);
    if (round > 0) times.push(performance.now() - began);
  }
  return Math.min(...times);
}
