import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createSeries } from "./series.ts";

const test = suite("series");

function filled(count: number, limit: number) {
  const series = createSeries(limit, 3);
  for (let i = 1; i <= count; i++) series.add(i);
  return series;
}

test("a few values are kept as they are", () => {
  const { first, last, means } = filled(2, 8);
  assert.equal(means(), [1, 2]);
  assert.equal(
    [first, last],
    [
      [1, 2],
      [1, 2],
    ],
  );
});

test("many values become means of equal stretches, with the ends kept", () => {
  const series = filled(8, 4);
  assert.equal(series.means(), [2.5, 6.5]);
  assert.equal(filled(9, 4).means(), [2.5, 6.5, 9]);
  assert.equal([series.count, series.first, series.last], [8, [1, 2, 3], [6, 7, 8]]);
});

test("however many there are, there are never more means than asked for", () => {
  const means = filled(100_000, 64).means();
  assert.ok(means.length >= 32 && means.length <= 64, String(means.length));
  for (let i = 1; i < means.length; i++) assert.ok((means[i] ?? 0) > (means[i - 1] ?? 0));
});

test.run();
