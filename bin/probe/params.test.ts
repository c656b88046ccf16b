import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { StrategyInfo } from "../../runtime/contract.ts";
import { changesOf, completeParams, limitsOf } from "./params.ts";

const test = suite("params");

const properties = {
  share: { type: "number", default: 0.5, minimum: 0, maximum: 1 },
  radius: { type: "number", exclusiveMinimum: 0 },
  count: { type: "integer", minimum: 2, maximum: 3 },
  on: { type: "boolean", default: true },
  mode: { type: "string", enum: ["soft", "hard"] },
  folder: { type: "string" },
  region: { type: "array", items: { type: "integer", minimum: 1 }, minItems: 4, maxItems: 4 },
  free: { type: "number", default: 7 },
};
const required = ["radius", "count", "mode", "folder", "region"];
const strategy = { name: "s", params: { type: "object", properties, required } } as unknown as StrategyInfo;

test("defaults, and the smallest that its schema allows for a parameter without one", () => {
  assert.equal(completeParams(strategy), {
    share: 0.5,
    radius: 0.001,
    count: 2,
    on: true,
    mode: "soft",
    folder: "data",
    region: [1, 1, 1, 1],
    free: 7,
  });
});

test("each parameter at each of its ends, without those that it has already", () => {
  assert.equal(limitsOf(strategy, completeParams(strategy)), [
    { share: 0 },
    { share: 1 },
    { count: 3 },
    { on: false },
    { mode: "hard" },
  ]);
});

test("values of one parameter at which a condition may have another outcome", () => {
  const params = completeParams(strategy);
  const of = (name: string, numbers?: readonly number[]) =>
    changesOf(strategy, params, name, numbers).map((changed) => changed[name]);
  assert.equal(of("free", [8]), [14, 3.5, 70, 0, 1, 7.99, 8, 8.01]);
  assert.equal(of("share"), [0, 1, 0.25]);
  assert.equal(of("count", [2]), [3]);
  assert.equal([of("on"), of("mode"), of("folder")], [[false], ["hard"], []]);
});

test.run();
