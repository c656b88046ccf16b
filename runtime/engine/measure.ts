import { performance } from "node:perf_hooks";
import type { Tensor } from "../contract.ts";
import type { Engine } from "./engine.ts";

/** How fast an engine computes here: products in its own precision, all else in float32. */
export interface EngineSpeed {
  /** Products of large square matrices, in 10^9 floating-point operations per second. */
  readonly matmulGflops: number;
  /** Reading and writing large arrays element by element, in 10^9 bytes per second. */
  readonly bandwidthGBs: number;
  /** Copying from the host to the device, in 10^9 bytes per second; not known where it is not given. */
  readonly busGBs?: number;
}

/** Milliseconds that a measurement should take at least, so that the clock's resolution and the overhead of a call do not matter. */
const LEAST_MS = 40;
/** How often each size is measured. The fastest measurement counts: other programs slow the rest down. */
const ROUNDS = 4;

/** Measures an engine; takes about one second, and a few on slow engines. */
export async function measureEngine(engine: Engine): Promise<EngineSpeed> {
  const { ops } = engine;
  const product = await rateOf(engine, {
    sizes: [
      once(128),
      once(256),
      once(512),
      once(1024),
      once(2048),
      { size: 4096, times: 8 },
      { size: 4096, times: 64 },
    ],
    shape: (n) => [n, n],
    value: productValue,
    work: (n) => 2 * n ** 3,
    // A layer: engines in bfloat16 compute these so, and not every product.
    compute: (x, y) => ops.linear(x, y, null),
  });
  // Each element is read once (both operands are the same array) and written once, 4 bytes each.
  const moved = await rateOf(engine, {
    sizes: [
      once(2 ** 16),
      once(2 ** 20),
      once(2 ** 23),
      once(2 ** 24),
      { size: 2 ** 24, times: 8 },
      { size: 2 ** 26, times: 32 },
    ],
    shape: (n) => [n],
    value: () => 1,
    work: (n) => 4 * 2 * n,
    compute: (x) => ops.mul(x, x),
  });
  return { matmulGflops: product / 1e9, bandwidthGBs: moved / 1e9 };
}

/**
 * Different numbers, since equal ones take less power, with which a GPU computes faster than it will in a run; with a variance of 1 / n, so
 * that a product is as large as its factors.
 */
function productValue(index: number, n: number): number {
  // The bits of a multiple of an odd number near 2^32 / golden ratio look random.
  const uniform = (Math.imul(index + 1, 0x9e3779b1) >>> 8) / 2 ** 24;
  return (uniform - 0.5) * Math.sqrt(12 / n);
}

/** A size, and how often it is computed in a row: on a GPU as in a step, where nothing waits for the host. */
interface Load {
  readonly size: number;
  readonly times: number;
}

const once = (size: number): Load => ({ size, times: 1 });

interface Kernel {
  /** From the least work to the most; only fast devices get to the end. */
  readonly sizes: readonly Load[];
  shape(size: number): readonly number[];
  /** The number at an index of the array. */
  value(index: number, size: number): number;
  /** Of one of these computations. */
  work(size: number): number;
  /** One of them. `x` is the array at first and then what was computed last, `y` always the array. */
  compute(x: Tensor, y: Tensor): Tensor;
}

/** So many of the smallest loads are over so soon that only another program can have made one long, if it is the only one. */
const SHORT = 2;

/** Work per second: the most of all loads, up to the first one that takes long enough. */
async function rateOf(engine: Engine, kernel: Kernel): Promise<number> {
  let [rate, longOnes] = [0, 0];
  for (const [i, load] of kernel.sizes.entries()) {
    const fastest = await timeOf(engine, kernel, load);
    rate = Math.max(rate, (load.times * kernel.work(load.size)) / (fastest / 1000));
    if (fastest < LEAST_MS) continue;
    longOnes++;
    if (i >= SHORT || longOnes > 1) break;
  }
  return rate;
}

/** Milliseconds that a load takes at least. */
async function timeOf(engine: Engine, { shape, value, compute }: Kernel, { size, times }: Load): Promise<number> {
  const count = shape(size).reduce((a, b) => a * b, 1);
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = value(i, size);
  const array = engine.keep({ shape: shape(size), dtype: "float32", data });
  const fastest = await fastestOf(engine, () => {
    let x = array;
    for (let i = 0; i < times; i++) x = compute(x, array);
    return x;
  });
  engine.dispose(array);
  return fastest;
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
