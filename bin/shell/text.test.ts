import { suite } from "uvu";
import * as assert from "uvu/assert";
import { curve, median } from "../run-view/curve.ts";
import { bytes, duration, table, wrap } from "./text.ts";

const test = suite("layout");

test("wraps paragraphs and leaves long words whole", () => {
  assert.is(wrap("one two three\nfour\n\nfive", 9), "one two\nthree\nfour\n\nfive");
  assert.is(wrap("a verylongword b", 5), "a\nverylongword\nb");
});

test("a table's columns are as wide as their widest cell", () => {
  const rows = [
    ["a", "long cell", "x"],
    ["bcd", "", "y"],
  ];
  assert.is(table(rows), "a    long cell  x\nbcd             y");
});

test("bytes and durations in units that people read", () => {
  assert.equal([0, 1023, 1024, 3.25 * 2 ** 30].map(bytes), ["0 B", "1023 B", "1.0 KiB", "3.3 GiB"]);
  assert.equal([4.24, 9.97, 59.4, 59.6, 185, 8049].map(duration), [
    "4.2 s",
    "10.0 s",
    "59 s",
    "1 min 00 s",
    "3 min 05 s",
    "2 h 14 min",
  ]);
});

test("the curve falls as its values do, on a scale that starts at 0", () => {
  const lines = curve([4, 3, 2, 1], 60, 2).split("\n");
  assert.equal(lines, ["    4.00 │█▄", "       0 │███▄"]);
  assert.is(curve([1]), "");
});

test("the curve shows means of equal stretches", () => {
  assert.is(curve([2, 4, 1, 0, 0, 1], 3, 1), "    3.00 │█▁▁");
});

test("the median of an even count is the mean of the two in the middle", () => {
  assert.is(median([5, 1, 3]), 3);
  assert.is(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test.run();
