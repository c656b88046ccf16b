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
  assert.is(remedyText([a, b, both], 16 * 2 ** 30), "`b: 2` saves most: then it needs about 12.0 GiB, and fits");
  assert.is(
    remedyText([a, b, both], 10 * 2 ** 30),
    "`b: 2` saves most: then it needs about 12.0 GiB, which is still too much; with a: 1 and b: 2 it needs about 8.0 GiB, and fits",
  );
  assert.is(
    remedyText([a, b, both, shorter(6, "a: 1", "b: 2")], 7 * 2 ** 30),
    "`b: 2` saves most: then it needs about 12.0 GiB, which is still too much; with a: 1 and b: 2 and 65 frames instead of 121 it needs about 6.0 GiB, and fits",
  );
  assert.match(
    remedyText([a, b, both], 4 * 2 ** 30),
    "which is still too much; nor is anything enough that `ltxc plan` tries",
  );
});

test("where no setting saves memory, shorter clips may", () => {
  assert.is(remedyText([shorter(6)], 7 * 2 ** 30), "with 65 frames instead of 121 it needs about 6.0 GiB, and fits");
  assert.is(remedyText([], 7 * 2 ** 30), "nothing that `ltxc plan` tries saves memory");
});

test("few changes come before many, and of equally many the one that saves most; smaller samples keep their order", () => {
  const [a, b, both] = [set(6, "a: 1"), set(5, "b: 2"), set(4, "a: 1", "b: 2")];
  assert.equal(fittingOf([both, a, b], 7 * 2 ** 30), [b, a, both]);
  const [first, second] = [shorter(6), shorter(5)];
  assert.equal(fittingOf([first, second], 7 * 2 ** 30), [first, second]);
});

test.run();
