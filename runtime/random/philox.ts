/**
 * Random numbers by place instead of by order: Philox 4x32 with 10 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", 2011). Every draw has a stream of its own, named by the run's seed, the step, the micro-batch and
 * the draw's name, so that no value depends on what was drawn before, on the number of workers or on a resume.
 *
 * From place to stream:
 *   name   -> the first 64 bits of SHA-256 of its UTF-8 bytes, two little-endian words (h0, h1)
 *   stream -> (s0, s1, s2, s3) = philox(counter = (step, microBatch, h0, h1), key = the seed's low and high word)
 *   block i of the stream = philox(counter = (i, 0, s2, s3), key = (s0, s1)), four words each
 * For one seed Philox is a bijection of its counter, so different places can only share a stream if their names share 64 bits of hash.
 */
import { createHash } from "node:crypto";

/** The place of a draw. */
interface DrawKey {
  /** An integer, 53 bits at most; a negative one counts from 2^64 downwards. */
  readonly seed: number;
  /** The optimizer step, or the epoch for the order of the data. */
  readonly step: number;
  readonly microBatch: number;
  readonly name: string;
}

type Words = readonly [number, number, number, number];

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
/** The golden ratio and sqrt(3) - 1, as 32-bit fractions: what the key grows by from round to round. */
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/**
 * The upper 32 bits of the 64-bit product of two 32-bit words, by 16-bit halves: no sum reaches 2^32, so all stay integers of the
 * machine, which is several times as fast as JavaScript's numbers.
 */
function high(a: number, b: number): number {
  const [ah, al, bh, bl] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const t = (Math.imul(ah, bl) + (Math.imul(al, bl) >>> 16)) | 0;
  const w = (Math.imul(al, bh) + (t & 0xffff)) | 0;
  return (Math.imul(ah, bh) + (t >>> 16) + (w >>> 16)) | 0;
}

/**
 * Philox 4x32-10: four random words of a 128-bit counter c and a 64-bit key k, each given in words, lowest first, to `out` at `place`.
 * Its arguments are plain numbers: lists would double the time.
 */
function write(
  out: Uint32Array,
  place: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  for (let round = 0; round < 10; round++) {
    const n0 = high(M1, c2) ^ c1 ^ k0;
    const n2 = high(M0, c0) ^ c3 ^ k1;
    c1 = Math.imul(M1, c2);
    c3 = Math.imul(M0, c0);
    c0 = n0;
    c2 = n2;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  out[place] = c0;
  out[place + 1] = c1;
  out[place + 2] = c2;
  out[place + 3] = c3;
}

/** The same for a single counter. */
export function philox(counter: Words, key: readonly [number, number]): Words {
  const out = new Uint32Array(4);
  write(out, 0, ...counter, ...key);
  return Array.from(out) as unknown as Words;
}

function stream({ seed, step, microBatch, name }: DrawKey): Words {
  const hash = createHash("sha256").update(name, "utf8").digest();
  return philox(
    [step, microBatch, hash.readUInt32LE(0), hash.readUInt32LE(4)],
    [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0],
  );
}

/** The first `count` words of the stream of `key`. */
function words(key: DrawKey, count: number): Uint32Array {
  const [s0, s1, s2, s3] = stream(key);
  const out = new Uint32Array(Math.ceil(count / 4) * 4);
  for (let i = 0; i < out.length; i += 4) write(out, i, i / 4, 0, s2, s3, s0, s1);
  return out.subarray(0, count);
}

/** `count` uniform numbers in [0, 1): the upper 24 bits of a word each, as many as float32 can tell apart. */
export function uniform(key: DrawKey, count: number): Float32Array {
  const random = words(key, count);
  const out = new Float32Array(count);
  // A loop: `Float32Array.from` goes through an iterator, at ten times the time.
  for (let i = 0; i < count; i++) out[i] = ((random[i] as number) >>> 8) * 2 ** -24;
  return out;
}

/** `count` standard normal numbers by Box and Muller, two of two words; none is further out than sqrt(2 ln 2^32) = 6.66. */
export function normal(key: DrawKey, count: number): Float32Array {
  const random = words(key, count + (count % 2));
  const out = new Float32Array(random.length);
  for (let i = 0; i < out.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(((random[i] as number) + 1) * 2 ** -32));
    const angle = 2 * Math.PI * 2 ** -32 * (random[i + 1] as number);
    out[i] = radius * Math.cos(angle);
    out[i + 1] = radius * Math.sin(angle);
  }
  return out.subarray(0, count);
}

/** A random order of the numbers 0 to n - 1 for one pass over the data, by Fisher and Yates. Other names have other orders. */
export function permutation(seed: number, epoch: number, n: number, name = "data.order"): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const random = words({ seed, step: epoch, microBatch: 0, name }, n);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((random[i] as number) * 2 ** -32 * (i + 1));
    const taken = order[i] as number;
    order[i] = order[j] as number;
    order[j] = taken;
  }
  return order;
}
