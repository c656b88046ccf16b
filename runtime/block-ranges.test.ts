import { suite } from "uvu";
import * as assert from "uvu/assert";
import { blockRanges, hasBlock, isUnreadable, rangesText, type BlockRanges } from "./block-ranges.ts";

const test = suite("ranges of blocks");

function read(written: unknown): BlockRanges {
  const ranges = blockRanges(written);
  if (isUnreadable(ranges)) throw new Error(ranges.message);
  return ranges;
}

test("a block, a range, several in a text or a list", () => {
  assert.equal(read("24-47"), [[24, 47]]);
  assert.equal(read(7), [[7, 7]]);
  const several = [
    [0, 3],
    [40, 47],
  ];
  for (const written of ["0-3, 40-47", " 0 - 3,40-47 ", ["0-3", "40-47"], ["0-3,40-47"]])
    assert.equal(read(written), several);
  assert.equal(read([0, "2", 4]), [
    [0, 0],
    [2, 2],
    [4, 4],
  ]);
});

test("what is something else says what to write", () => {
  for (const written of ["", [], "all", "24..47", "24:47", "-1", -1, "1.5", "3-", "0-3,", "0-3 40-47", [[1]]]) {
    const found = blockRanges(written);
    assert.ok(isUnreadable(found), JSON.stringify(written));
    assert.match(found.help, "a range such as `24-47`");
  }
  assert.equal(blockRanges("47-24"), { message: "`47-24` ends before it begins", help: "write `24-47`" });
});

test("both ends belong to a range, and ranges that meet are one", () => {
  const ranges = read("2-3, 6, 4, 3-5");
  assert.equal(
    [1, 2, 3, 4, 5, 6, 7].filter((block) => hasBlock(ranges, block)),
    [2, 3, 4, 5, 6],
  );
  assert.is(rangesText(ranges), "2-6");
  assert.is(rangesText(read("40-47, 0-3, 9")), "0-3, 9, 40-47");
});

test.run();
