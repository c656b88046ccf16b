import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Plan } from "../../runtime/index.ts";
import type { Alternative } from "./alternatives.ts";
import { fittingOf, remedyText } from "./remedy.ts";

const test = suite("what to do about memory");

const plan = (gib: number) => ({ largest: { memory: { step: gib * 2 ** 30 } } }) as unknown as Plan;
const engine = { name: "torch", provider: "cuda", precision: "bfloat16" } as const;
const set = (gib: number, ...settings: string[]): Alternative => ({
  settings,
  short: settings,
  smaller: null,
  plan: plan(gib),
  engine,
  isStreamed: false,
});
const cell = { time: 8, height: 32, width: 32 };
const [from, to] = [
  { frames: 16, height: 16, width: 16 },
  { frames: 9, height: 16, width: 16 },
];
const shorter = (gib: number, ...settings: string[]): Alternative => ({
  ...set(gib, ...settings),
  smaller: { what: "frames", from, to, cell },
});

test("the change that saves most comes first, whether it is enough or not", () => {
  const [a, b, both] = [set(20, "a: 1"), set(12, "b: 2"), set(8, "a: 1", "b: 2")];
  assert.is(remedyText([a, b, both], 16 * 2 ** 30, null), "`b: 2` saves most: then it needs about 12.0 GiB, and fits");
  assert.is(
    remedyText([a, b, both], 10 * 2 ** 30, null),
    "`b: 2` saves most: then it needs about 12.0 GiB, which is still too much; with a: 1 and b: 2 it needs about 8.0 GiB, and fits",
  );
  assert.is(
    remedyText([a, b, both, shorter(6, "a: 1", "b: 2")], 7 * 2 ** 30, null),
    "`b: 2` saves most: then it needs about 12.0 GiB, which is still too much; with a: 1 and b: 2 and 65 frames instead of 121 it needs about 6.0 GiB, and fits",
  );
  assert.match(
    remedyText([a, b, both], 4 * 2 ** 30, null),
    "which is still too much; nor is anything enough that `ltxc plan` tries",
  );
});

test("where no setting saves memory, shorter clips may", () => {
  assert.is(
    remedyText([shorter(6)], 7 * 2 ** 30, null),
    "with 65 frames instead of 121 it needs about 6.0 GiB, and fits",
  );
  assert.is(remedyText([], 7 * 2 ** 30, null), "nothing that `ltxc plan` tries saves memory");
});

test("few changes come before many, and of equally many the one that saves most; smaller samples keep their order", () => {
  const [a, b, both] = [set(6, "a: 1"), set(5, "b: 2"), set(4, "a: 1", "b: 2")];
  assert.equal(fittingOf([both, a, b], 7 * 2 ** 30, null), [b, a, both]);
  const [first, second] = [shorter(6), shorter(5)];
  assert.equal(fittingOf([first, second], 7 * 2 ** 30, null), [first, second]);
});

test("of several changes that are enough the one is named that costs the least time, where that is known", () => {
  const speed = { matmulGflops: 100, bandwidthGBs: 10 };
  const taking = (one: Alternative, matmulFlops: number): Alternative => {
    const cost = { matmulFlops, movedBytes: 0, nodes: 0, copiedBytes: 0 };
    return { ...one, plan: { ...one.plan, commonest: { cost } } as unknown as Plan };
  };
  const slow = taking(set(4, "a: 1"), 2e12);
  const quick = taking(set(6, "b: 2"), 1e12);
  const both = taking(set(3, "a: 1", "b: 2"), 5e11);
  const elsewhere = taking(set(2, "runtime.engine: torch"), 1e11);
  assert.equal(fittingOf([both, slow, quick, elsewhere], 7 * 2 ** 30, speed), [quick, slow, elsewhere, both]);
  assert.is(
    remedyText([slow, quick, both], 7 * 2 ** 30, speed),
    "`b: 2` is enough, and costs the least time: then it needs about 6.0 GiB, and fits",
  );
  assert.match(
    remedyText([slow, quick, both], 5 * 2 ** 30, speed),
    "`a: 1` saves most: then it needs about 4.0 GiB, and fits",
  );
});

test.run();
