import { suite } from "uvu";
import * as assert from "uvu/assert";
import { chart, spread, thinned, type Point } from "./chart.ts";
import { extent, quantile, tickLabel, ticks } from "./scale.ts";

const test = suite("charts of a report");

/** The corners of the first line of a chart. */
function corners(svg: string): number[][] {
  const path = /class="line c\d" d="([^"]*)"/.exec(svg)?.[1] ?? "";
  return path
    .slice(1)
    .split("L")
    .map((corner) => corner.split(" ").map(Number));
}

test("ticks are round and inside", () => {
  assert.equal(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.equal(ticks(0.13, 0.52, 4), [0.2, 0.30000000000000004, 0.4, 0.5]);
  assert.equal(ticks(3, 3, 4), [3]);
});

test("labels are as long as the distance of the ticks asks for", () => {
  assert.equal(
    [tickLabel(0.30000000000000004, 0.1), tickLabel(0.25, 0.05), tickLabel(200, 100)],
    ["0.3", "0.25", "200"],
  );
  assert.equal([tickLabel(0, 1), tickLabel(1e-4, 1e-4), tickLabel(2.5e6, 5e5)], ["0", "1e-4", "2.5e6"]);
});

test("labels of small numbers differ, however near they are", () => {
  assert.equal([tickLabel(1e-4, 5e-6), tickLabel(1.05e-4, 5e-6)], ["1.00e-4", "1.05e-4"]);
});

test("axes have a margin, but none below zero for what never is", () => {
  assert.equal(extent([1, 3]), [0.9, 3.1]);
  assert.equal(extent([0.01, 10])[0], 0);
  assert.equal(extent([Number.NaN]), [0, 1]);
  assert.equal(extent([2]), [1.8, 2.2]);
});

test("quantiles leave out what is no number", () => {
  assert.is(quantile([5, 1, Number.NaN, 3], 0.5), 3);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test("a line runs from the left to the right edge, the larger value higher up", () => {
  const svg = chart({
    title: "t",
    lastStep: 10,
    series: [
      {
        name: "a",
        points: [
          [0, 1],
          [10, 2],
        ],
      },
    ],
  });
  const [[x0 = 0, y0 = 0] = [], [x1 = 0, y1 = 0] = []] = corners(svg);
  assert.equal([x0, x1], [58, 946]);
  assert.ok(y1 < y0);
});

test("values outside of the range run along the edge, those that are none are left out", () => {
  const points: Point[] = [
    [0, 1],
    [1, 1000],
    [2, Number.NaN],
    [3, 1],
  ];
  const lines = corners(chart({ title: "t", lastStep: 3, range: [0, 2], series: [{ name: "a", points }] }));
  assert.is(lines.length, 3);
  assert.is(lines[1]?.[1], 10);
});

test("many points become means of stretches", () => {
  const points = Array.from({ length: 1000 }, (_, i): Point => [i, i % 2]);
  const few = thinned(points, 100);
  assert.is(few.length, 100);
  assert.equal(few[0], [4.5, 0.5]);
  assert.is(thinned(points.slice(0, 3), 100).length, 3);
});

test("the faint line keeps the lowest and the highest of each stretch", () => {
  const points = Array.from({ length: 1000 }, (_, i): Point => [i, i === 7 ? -5 : i === 3 ? 9 : 1]);
  const few = spread(points, 100);
  assert.is(few.length, 100);
  assert.equal(few.slice(0, 2), [
    [3, 9],
    [7, -5],
  ]);
});

test("many points are a line without dots", () => {
  const dots = (count: number) => {
    const points = Array.from({ length: count }, (_, i): Point => [i, i]);
    return (
      chart({ title: "t", lastStep: count, series: [{ name: "a", points, style: "dots" }] }).split("<circle").length - 1
    );
  };
  assert.equal([dots(60), dots(61)], [60, 0]);
});

test("there is no chart of nothing", () => {
  assert.is(chart({ title: "t", lastStep: 1, series: [{ name: "a", points: [[0, Number.NaN]] }] }), "");
});

test("titles and names are escaped", () => {
  const points: Point[] = [
    [0, 1],
    [1, 2],
  ];
  const svg = chart({
    title: "<t>",
    lastStep: 1,
    series: [
      { name: "<a>", points, style: "dots" },
      { name: "b", points },
    ],
  });
  assert.not.match(svg, /<[ta]>/);
  assert.match(svg, "&lt;a&gt;, step 0: 1.0000");
});

test.run();
