import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openEngine } from "../../../engine/index.ts";
import { partsOfHead, type Triple } from "./config.ts";
import { attend, disposeWindows, keepWindows } from "./neighbourhood.ts";
import { windowsOf } from "./windows.ts";

const test = suite("neighbourhood attention");
const { engine } = await openEngine("wasm");

const [HEADS, HEAD_DIM] = [2, 8];
const WIDTH = HEADS * HEAD_DIM;
const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 0.7 * i + i ** 1.2));

/** Places of a volume, and how they turn a pair of channels. */
function cellsOf([frames, rows, columns]: Triple): Triple[] {
  const made: Triple[] = [];
  for (let t = 0; t < frames; t++)
    for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) made.push([t, y, x]);
  return made;
}

/** The norm, then the turn of each pair of neighbours by the cell's place. */
function prepared(x: readonly number[], norm: Float32Array, place: Triple): number[] {
  const length = Math.sqrt(x.reduce((sum, each) => sum + each * each, 0) / x.length + 1e-6);
  const y = x.map((each, i) => (each / length) * (norm[i] ?? NaN));
  const angles = (partsOfHead(HEAD_DIM) ?? []).flatMap((width, axis) =>
    Array.from({ length: width / 2 }, (_, i) => (place[axis] ?? 0) / 10000 ** ((2 * i) / width)),
  );
  return angles.flatMap((angle, i) => {
    const [a = NaN, b = NaN] = [y[2 * i], y[2 * i + 1]];
    return [a * Math.cos(angle) - b * Math.sin(angle), b * Math.cos(angle) + a * Math.sin(angle)];
  });
}

/** Attention by its definition, cell by cell, at places of the whole clip. */
function expected(qkv: Float32Array, norms: readonly Float32Array[], volume: Triple, kernel: Triple): number[] {
  const cells = cellsOf(volume);
  const windows = volume.map((length, axis) => windowsOf(length, kernel[axis] ?? 1));
  const part = (cell: number, kind: number, head: number) =>
    [...qkv.subarray(cell * 3 * WIDTH + kind * WIDTH + head * HEAD_DIM)].slice(0, HEAD_DIM);
  const seen = (query: Triple, key: Triple) =>
    windows.every(({ starts, width }, axis) => {
      const [start = 0, at = 0] = [starts[query[axis] ?? 0], key[axis]];
      return at >= start && at < start + width;
    });
  return cells.flatMap((query, i) =>
    Array.from({ length: HEADS }, (_, head) => {
      const q = prepared(part(i, 0, head), norms[0] as Float32Array, query);
      const scores = cells.map((key, j) => {
        if (!seen(query, key)) return 0;
        const k = prepared(part(j, 1, head), norms[1] as Float32Array, key);
        return Math.exp(q.reduce((sum, each, c) => sum + each * (k[c] ?? NaN), 0) / Math.sqrt(HEAD_DIM));
      });
      const total = scores.reduce((a, b) => a + b, 0);
      return Array.from({ length: HEAD_DIM }, (_, c) =>
        scores.reduce((sum, score, j) => sum + (score === 0 ? 0 : (score / total) * (part(j, 2, head)[c] ?? NaN)), 0),
      );
    }).flat(),
  );
}

test("each cell attends to its window, in one chunk or many, and for some frames of a clip as for all", async () => {
  const [volume, kernel]: readonly [Triple, Triple] = [
    [5, 6, 5],
    [3, 3, 4],
  ];
  const count = volume[0] * volume[1] * volume[2];
  const qkv = numbers(count * 3 * WIDTH, 1);
  const norms = [numbers(HEAD_DIM, 2), numbers(HEAD_DIM, 3)];
  const wanted = expected(qkv, norms, volume, kernel);
  const before = engine.memory().tensors;
  const [q, k] = norms.map((data) => engine.keep({ shape: [HEAD_DIM], dtype: "float32", data }));
  if (q === undefined || k === undefined) throw new Error("two norms were given");
  const inTime = windowsOf(volume[0], kernel[0]);
  const compare = async (first: number, frames: number, mostGathered?: number): Promise<void> => {
    const [begin = 0, last = 0] = [inTime.starts[first], inTime.starts[first + frames - 1]];
    const keys = last + inTime.width - begin;
    const starts = inTime.starts.slice(first, first + frames).map((start) => start - begin);
    const axes = [{ starts, width: inTime.width, keys }, windowsOf(6, 3), windowsOf(5, 4)] as const;
    const windows = keepWindows(engine, axes, { heads: HEADS, headDim: HEAD_DIM }, mostGathered);
    const frame = volume[1] * volume[2] * 3 * WIDTH;
    const own = qkv.slice(begin * frame, (begin + keys) * frame);
    const given = engine.keep({ shape: [keys * 30, 3 * WIDTH], dtype: "float32", data: own });
    const asking = { first: first - begin, count: frames, volume: [keys, 6, 5] as const, norms: [q, k] as const };
    const made = engine.tidy(() => attend(engine.ops, windows, { qkv: given, ...asking }));
    const { shape, data } = await engine.read(made);
    assert.equal(shape, [frames * 30, WIDTH]);
    data.forEach((x, i) =>
      assert.ok(
        Math.abs(x - (wanted[first * 30 * WIDTH + i] ?? NaN)) < 1e-4,
        `${first}, ${frames}: number ${i} is ${x}`,
      ),
    );
    if (mostGathered === 1) assert.ok(windows.chunks.length > 4, "many chunks");
    engine.dispose(given, made);
    disposeWindows(engine, windows);
  };
  await compare(0, 5);
  await compare(0, 5, 1);
  await compare(1, 2);
  await compare(4, 1);
  engine.dispose(q, k);
  assert.is(engine.memory().tensors, before);
});

test.run();
