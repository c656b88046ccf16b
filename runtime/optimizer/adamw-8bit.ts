import type { HostTensor, Shape, Tensor } from "../contract.ts";
import type { Engine } from "../engine/engine.ts";
import { adamwStep, WEIGHT_DECAY } from "./adamw.ts";
import { rateOf, type Optimizer, type StoredMoments } from "./optimizer.ts";
import { BLOCK, decodeBlock, encodeBlock, signedCodes, unsignedCodes, zeros, type EightBit } from "./eight-bit.ts";

/** Smaller parameters keep their moments in float32, which costs little; biases and norms are sensitive. The usual limit. */
const SMALLEST = 4096;

/** What the optimizer remembers of one parameter, on the host. */
interface Moments {
  t: number;
  readonly shape: Shape;
  readonly m: EightBit | Float32Array;
  readonly v: EightBit | Float32Array;
}

/**
 * Optimizer whose moments take a byte each. Updates are calculated on the host in blocks, from moments that are widened a block at a time.
 * Rounding is random but reproducible: a function of parameter, update and place.
 */
export function createAdamW8bit(
  engine: Engine,
  count: number,
  decays: readonly number[] = Array.from({ length: count }, () => WEIGHT_DECAY),
): Optimizer {
  const moments: (Moments | null)[] = Array.from({ length: count }, () => null);
  return {
    kinds: ["m", "v"],
    async update(parameters, gradients, rate, factor) {
      const scale = factor === null ? 1 : ((await engine.read(factor)).data[0] ?? 1);
      const updated: Tensor[] = [];
      for (const [i, parameter] of parameters.entries()) {
        const gradient = gradients[i] ?? null;
        if (gradient === null) updated.push(parameter);
        else {
          const [p, g] = [await engine.read(parameter), await engine.read(gradient)];
          const own = (moments[i] ??= newMoments(p.shape));
          own.t++;
          const options = { rate: rateOf(rate, i), decay: decays[i] ?? NaN, scale, seed: i };
          updated.push(engine.keep({ ...p, data: updateHost(own, p.data, g.data, options) }));
          engine.dispose(parameter);
        }
      }
      return updated;
    },
    save: async () =>
      moments.map(
        (entry) => entry && { t: entry.t, m: widened(entry.m, entry.shape), v: widened(entry.v, entry.shape) },
      ),
    restore(stored) {
      stored.forEach((entry, i) => {
        moments[i] = entry === null ? null : restored(entry);
      });
    },
    dispose: () => moments.fill(null),
  };
}

function newMoments(shape: Shape): Moments {
  const length = shape.reduce((a, b) => a * b, 1);
  if (length < SMALLEST) return { t: 0, shape, m: new Float32Array(length), v: new Float32Array(length) };
  return { t: 0, shape, m: zeros(signedCodes, length), v: zeros(unsignedCodes, length) };
}

interface UpdateOptions {
  readonly rate: number;
  readonly decay: number;
  /** What gradients are multiplied by. */
  readonly scale: number;
  readonly seed: number;
}

/** The new parameter; the moments are changed in place. */
function updateHost(
  { t, m, v }: Moments,
  p: ArrayLike<number>,
  g: ArrayLike<number>,
  { rate, decay, scale, seed }: UpdateOptions,
): Float32Array {
  const next = new Float32Array(p.length);
  const [ms, vs] = [new Float64Array(BLOCK), new Float64Array(BLOCK)];
  const step = adamwStep({ t, rate, decay });
  for (let block = 0; block * BLOCK < p.length; block++) {
    const first = block * BLOCK;
    const count = load(m, block, ms);
    load(v, block, vs);
    for (let i = 0; i < count; i++) {
      const updated = step(p[first + i] as number, scale * (g[first + i] as number), ms[i] as number, vs[i] as number);
      [next[first + i], ms[i], vs[i]] = [updated.p, updated.m, updated.v];
    }
    const random = randomOf(seed, t, block);
    store(m, block, ms, count, random);
    store(v, block, vs, count, random);
  }
  return next;
}

function load(moment: EightBit | Float32Array, block: number, out: Float64Array): number {
  if (!(moment instanceof Float32Array)) return decodeBlock(moment, block, out);
  const part = moment.subarray(block * BLOCK, (block + 1) * BLOCK);
  out.set(part);
  return part.length;
}

function store(
  moment: EightBit | Float32Array,
  block: number,
  numbers: Float64Array,
  count: number,
  random: () => number,
) {
  if (moment instanceof Float32Array) moment.set(numbers.subarray(0, count), block * BLOCK);
  else encodeBlock(moment, block, numbers, random);
}

/** Numbers in [0, 1): xorshift (Marsaglia 2003) from a start that depends on all three. */
function randomOf(seed: number, t: number, block: number): () => number {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(t, 0x85ebca6b) ^ Math.imul(block + 1, 0xc2b2ae35)) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** For a training state: encoding these numbers again gives the same codes. */
function widened(moment: EightBit | Float32Array, shape: Shape): HostTensor {
  const length = moment instanceof Float32Array ? moment.length : moment.codes.length;
  const data = new Float32Array(length);
  const out = new Float64Array(BLOCK);
  for (let block = 0; block * BLOCK < length; block++) {
    data.set(out.subarray(0, load(moment, block, out)), block * BLOCK);
  }
  return { shape, dtype: "float32", data };
}

function restored({ t, m, v }: StoredMoments): Moments {
  if (m === undefined || v === undefined) throw new Error("stored moments without m and v");
  const moments = newMoments(m.shape);
  const out = new Float64Array(BLOCK);
  for (const [moment, { data }] of [
    [moments.m, m],
    [moments.v, v],
  ] as const) {
    for (let block = 0; block * BLOCK < data.length; block++) {
      const part = data.subarray(block * BLOCK, (block + 1) * BLOCK);
      out.set(part);
      store(moment, block, out, part.length, () => 0.5);
    }
  }
  return { ...moments, t };
}
