import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runsOf, shade } from "./blocks.ts";
import type { TokenMap } from "./maps.ts";

const test = suite("blocks");

const mapOf = (
  frames: readonly (readonly string[])[],
  kind: TokenMap["kind"] = "mask",
  value = (character: string) => Number(character),
): TokenMap => {
  const data = frames.flat().flatMap((row) => [...row].map(value));
  const [rows = []] = frames;
  return {
    key: "m",
    kind,
    columns: "cells",
    grid: { frames: frames.length, height: rows.length, width: rows[0]?.length ?? 0 },
    data,
    min: Math.min(...data),
    max: Math.max(...data),
  };
};

test("only 0 is empty and only 1 is full", () => {
  assert.equal([0, 0.001, 0.3, 0.34, 0.7, 0.999, 1, NaN].map(shade), ["·", "░", "░", "▒", "▓", "▓", "█", "?"]);
});

test("frames that look the same are one run; a cell may take two characters", () => {
  const map = mapOf([
    ["01", "10"],
    ["01", "10"],
    ["11", "10"],
  ]);
  assert.equal(runsOf(map, 1, 2), [
    { first: 0, last: 1, lines: ["··██", "██··"] },
    { first: 2, last: 2, lines: ["████", "██··"] },
  ]);
});

test("several cells in one show their share, at the edges of those that are left", () => {
  const map = mapOf([["11100", "11000", "11001"]]);
  assert.equal(
    runsOf(map, 2, 1).map(({ lines }) => lines),
    [["█░·", "█·█"]],
  );
});

test("numbers beyond 1 are drawn relative to the largest, negative ones to the smallest", () => {
  const large = mapOf([["0246"]], "numbers");
  assert.equal(runsOf(large, 1, 1)[0]?.lines, ["·▒▓█"]);
  const signed = mapOf([["0246"]], "numbers", (character) => Number(character) - 4);
  assert.equal(runsOf(signed, 1, 1)[0]?.lines, ["·▒▓█"]);
});

test.run();
