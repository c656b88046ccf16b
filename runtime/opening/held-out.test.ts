import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../findings.ts";
import { holdOut } from "./held-out.ts";

const test = suite("held-out samples");
const all = Array.from({ length: 50 }, (_, i) => i);
const split = (samples: number, of = all) => holdOut(of, { samples, interval: 100, sigmas: [0.5], keep_best: false });

test("every sample is in one of the two parts, in the data set's order", () => {
  const { training, heldOut } = split(7);
  assert.is(heldOut.length, 7);
  assert.equal(
    [...training, ...heldOut].toSorted((a, b) => a - b),
    all,
  );
  for (const part of [training, heldOut])
    assert.equal(
      part,
      part.toSorted((a, b) => a - b),
    );
});

test("they are not simply the first ones, and the same every time", () => {
  const { heldOut } = split(7);
  assert.equal(heldOut, split(7).heldOut);
  assert.ok(Math.max(...heldOut) > 24 && Math.min(...heldOut) < 25, heldOut.join());
});

test("none are held out unless asked for", () => {
  assert.equal(split(0), { training: all, heldOut: [] });
  assert.equal(split(0, []), { training: [], heldOut: [] });
});

test("one sample has to be left", () => {
  assert.is(split(49).training.length, 1);
  try {
    split(50);
    assert.unreachable();
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    const [found] = error.findings;
    assert.equal([found?.code, found?.path], ["LTX6320", ["evaluation", "samples"]]);
    assert.match(found?.message ?? "", "50 samples are held out, and the data set has 50 in all");
    assert.match(found?.help ?? "", "49 or less");
  }
});

test.run();
