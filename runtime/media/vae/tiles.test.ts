import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Blend, totalWeights } from "./blend.ts";
import { framesOf, pixelsOf, tilesInSpace, tilesInTime, type AxisTiling, type Range } from "./tiles.ts";

const test = suite("tiles of latents");

const bySize = (tileSize: number, overlap: number): AxisTiling => ({ kind: "size", tileSize, overlap });
const byCount = (tiles: number, overlap: number): AxisTiling => ({ kind: "count", tiles, overlap });
const shown = (tiles: readonly { start: number; end: number }[]) =>
  tiles.map(({ start, end }) => `${start}-${end}`).join(" ");

/** Sums of the weights of all ranges, by place. */
function sums(ranges: readonly Range[], length: number): number[] {
  const total = Array.from({ length }, () => 0);
  for (const { start, weights } of ranges) weights.forEach((weight, i) => (total[start + i]! += weight));
  return total;
}

test("what fits one tile is one, and the last tile may be short", () => {
  assert.is(shown(tilesInSpace(8, bySize(0, 0), 32)), "0-8");
  assert.is(shown(tilesInSpace(16, bySize(512, 128), 32)), "0-16");
  assert.is(shown(tilesInSpace(17, bySize(512, 128), 32)), "0-16 12-17");
  // A tile is at least two cells, and more than it shares.
  assert.is(shown(tilesInSpace(3, bySize(32, 0), 32)), "0-2 2-3");
  assert.is(shown(tilesInSpace(6, bySize(64, 96), 32)), "0-4 1-5 2-6");
});

test("a number of tiles divides an axis evenly, the first ones taking what is left over", () => {
  assert.is(shown(tilesInSpace(10, byCount(3, 1), 8)), "0-4 3-7 6-10");
  assert.is(shown(tilesInSpace(11, byCount(3, 1), 8)), "0-5 4-8 7-11");
  assert.is(shown(tilesInSpace(5, byCount(1, 2), 8)), "0-5");
});

test("in time a tile begins one earlier, and what it decodes without its past counts for nothing", () => {
  const tiles = tilesInTime(8, bySize(8, 4), 2);
  assert.is(shown(tiles), "0-4 1-6 3-8");
  assert.equal(
    tiles.map((tile) => framesOf(tile, 2).weights[0]),
    [1, 0, 0],
  );
});

test("every pixel has a weight, and where tiles are whole the weights add up to 1", () => {
  for (const tiling of [bySize(0, 0), bySize(256, 64), bySize(256, 128), byCount(2, 3), byCount(4, 2), byCount(3, 0)]) {
    for (const length of [9, 16, 23]) {
      const space = tilesInSpace(length, tiling, 32).map((tile) => pixelsOf(tile, 32));
      for (const sum of sums(space, 32 * length))
        assert.ok(sum > 0.3, `${JSON.stringify(tiling)} of ${length}: ${sum}`);
      const time = tilesInTime(length, tiling, 8).map((tile) => framesOf(tile, 8));
      const frames = sums(time, 1 + 8 * (length - 1));
      for (const sum of frames) assert.ok(sum > 0, `${JSON.stringify(tiling)} of ${length}: ${sum}`);
    }
  }
  const whole = tilesInSpace(28, bySize(512, 128), 32).map((tile) => pixelsOf(tile, 32));
  for (const sum of sums(whole, 28 * 32)) assert.ok(Math.abs(sum - 1) < 1e-9, `${sum}`);
});

test("tiles of what is the same everywhere are the same everywhere, at once or as soon as frames are complete", () => {
  const inTime = tilesInTime(6, bySize(16, 8), 8).map((tile) => framesOf(tile, 8));
  const inRows = tilesInSpace(5, byCount(3, 1), 2).map((tile) => pixelsOf(tile, 2));
  const inColumns = tilesInSpace(4, bySize(8, 4), 2).map((tile) => pixelsOf(tile, 2));
  const totals = {
    frames: totalWeights(inTime, 41),
    rows: totalWeights(inRows, 10),
    columns: totalWeights(inColumns, 8),
  };
  const blend = new Blend(2, totals);
  for (const t of inTime)
    for (const y of inRows)
      for (const x of inColumns) {
        const cells = t.weights.length * y.weights.length * x.weights.length;
        blend.add(new Float32Array(2 * cells).fill(3, 0, cells).fill(-5, cells), t, y, x);
      }
  const frames = [...blend.take(7), ...blend.take(41)];
  assert.is(frames.length, 41);
  for (const frame of frames)
    for (const [i, value] of frame.entries()) assert.ok(Math.abs(value - (i < 80 ? 3 : -5)) < 1e-5, `${i}: ${value}`);
  assert.throws(() =>
    blend.add([1], { start: 40, weights: Float64Array.of(1) }, inRows[0] as Range, inColumns[0] as Range),
  );
});

test.run();
