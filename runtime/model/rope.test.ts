import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createPositions } from "./positions.ts";
import { frequencyGrid } from "./rope-grid.ts";
import { ropeTables, type RopeSpec } from "./rope.ts";

const test = suite("rope");
const positions = createPositions({ time: 8, height: 32, width: 32 });
/** Three latent frames of 2 x 2 cells at 25 frames per second. */
const video = positions.video({ frames: 3, height: 2, width: 2 }, [25]);
const spec: RopeSpec = { type: "split", width: 4096, heads: 32, theta: 10000, maxPos: [20, 2048, 2048], double: true };

function bits(values: Float32Array): string {
  return Array.from(new Uint32Array(values.buffer), (word) => word.toString(16)).join(" ");
}

function close(actual: Iterable<number>, expected: readonly number[], tolerance = 1e-6): void {
  const found = Array.from(actual);
  assert.is(found.length, expected.length);
  expected.forEach((e, i) =>
    assert.ok(Math.abs((found[i] ?? NaN) - e) <= tolerance, `[${i}] ${found[i]}, expected ${e}`),
  );
}

test("the float32 grid, bit for bit", () => {
  assert.is(
    bits(frequencyGrid(8, 10000, false)),
    "3fc90fdb 40bb5e8b 41ae9bf3 42a2b7d2 4397a2f9 448d4f5b 4583afc1 46756fdb",
  );
  assert.is(
    bits(frequencyGrid(12, 10000, false)),
    "3fc90fdb 40683d54 4106203a 419aec92 4232f289 42ceb223 436ebf3a 4409e259 449f43e4 4537f62b 45d47ccd 46756fdb",
  );
});

test("the float64 grid, rounded once", () => {
  const grid = frequencyGrid(682, 10000, true);
  close(grid.slice(0, 3), [1.5708, 1.5922, 1.6139], 1e-4);
  close(grid.slice(-3), [15288.767, 15496.947, 15707.963], 2e-3);
});

test("one frequency is pi / 2, and theta is the ratio of the last to the first", () => {
  for (const double of [true, false]) {
    assert.equal(frequencyGrid(1, 10000, double), Float32Array.of(Math.PI / 2));
    const grid = frequencyGrid(4, 500, double);
    close([(grid[3] ?? 0) / (grid[0] ?? 1)], [500], 1e-3);
    close([(grid[1] ?? 0) / (grid[0] ?? 1)], [500 ** (1 / 3)], 1e-5);
  }
});

test("video self-attention at its published width: last token, first head", () => {
  const { cos, sin } = ropeTables(spec, video);
  assert.equal(cos.shape, [1, 32, 12, 64]);
  const row = (table: typeof cos) => table.data.slice(11 * 64, 11 * 64 + 8);
  close(row(cos), [1, 1, 0.0815905, 0.0735645, 0.0735645, 0.0613661, 0.0532196, 0.0532196]);
  close(row(sin), [0, 0, -0.996666, -0.9972904, -0.9972904, -0.9981153, -0.9985828, -0.9985828]);
});

test("split and interleaved tables hold the same angles", () => {
  const small = { ...spec, width: 16, heads: 2 };
  const { cos, sin } = ropeTables(small, video);
  const last = (head: number, table: typeof cos) => table.data.slice((head * 12 + 11) * 4, (head * 12 + 12) * 4);
  close([...last(0, cos), ...last(1, cos)], [1, 1, 0.081591, 0.073564, 0.073564, 1, 0.382549, 0.382549]);
  close([...last(0, sin), ...last(1, sin)], [0, 0, -0.996666, -0.99729, -0.99729, -0.000236, 0.923935, 0.923935]);
  const twice = ropeTables({ ...small, type: "interleaved" }, video);
  assert.equal(twice.cos.shape, [1, 12, 16]);
  const row = twice.cos.data.slice(11 * 16);
  const angles = [0.081591, 0.073564, 0.073564, 1, 0.382549, 0.382549];
  close(row, [1, 1, 1, 1, ...angles.flatMap((x) => [x, x])]);
});

test("audio self-attention at its published width", () => {
  const { cos, sin } = ropeTables({ ...spec, width: 2048, maxPos: [20] }, positions.audio(3, 1));
  const row = (table: typeof cos) => table.data.slice(2 * 32, 2 * 32 + 4);
  close(row(cos), [0.0109954, -0.003111, -0.0173445, -0.0317031]);
  close(row(sin), [-0.9999396, -0.9999952, -0.9998496, -0.9994974]);
});

test("plain positions are used as they are, bounds by their midpoint", () => {
  const indices = {
    shape: [1, 1, 1024],
    dtype: "float32" as const,
    data: Float32Array.from({ length: 1024 }, (_, i) => i),
  };
  const { cos, sin } = ropeTables({ ...spec, maxPos: [4096] }, indices);
  const at = (table: typeof cos, token: number) => table.data.slice(token * 64, token * 64 + 3);
  close(at(cos, 0), [-4.37e-8, -0.0070835, -0.0141987]);
  close(at(sin, 0), [-1, -0.9999749, -0.9998992]);
  close(at(cos, 1023), [0.7065642, 0.704051, 0.7015175]);
  close(at(sin, 1023), [-0.7076489, -0.7101494, -0.7126522]);
});

test("max_pos scales each axis by itself", () => {
  const narrow = ropeTables({ ...spec, width: 6, heads: 1 }, video);
  const wide = ropeTables({ ...spec, width: 6, heads: 1, maxPos: [20, 1024, 2048] }, video);
  // Entries of a token are time, row, column; token 2 lies in the second row, so its row midpoint is 48.
  const at = (table: typeof narrow, axis: number) => table.cos.data[2 * 3 + axis] ?? NaN;
  close(
    [at(narrow, 1), at(wide, 1)],
    [48 / 2048, 48 / 1024].map((u) => Math.cos((Math.PI / 2) * (2 * u - 1))),
  );
  assert.equal([at(narrow, 0), at(narrow, 2)], [at(wide, 0), at(wide, 2)]);
  assert.throws(() => ropeTables({ ...spec, maxPos: [20] }, video), /3 axes/);
});

test.run();
