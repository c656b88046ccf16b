import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../../contract.ts";
import { CallLog, type Argument, type OpName } from "./call-log.ts";
import { matchesPattern, patternOf } from "./call-pattern.ts";
import { DeviceTensor, ShapedTensor } from "./device-tensor.ts";

const test = suite("patterns of calls");

let ids = 0;
const tensor = (...shape: readonly number[]) => new DeviceTensor(ids++, shape, "float32");
const inFile = (offset: number) =>
  new DeviceTensor(NaN, [2], "float32", { path: "base", offset, length: 4, dtype: "bfloat16", shape: [2] });
const host = (...shape: readonly number[]): HostTensor => ({ shape, dtype: "float32", data: new Float32Array(2) });

type Call = readonly [op: OpName, ...args: readonly Argument[]];

/** Whether the second call is that of the first one's pattern; whether their texts are equal says what is right. */
function isSame(first: Call, second: Call, before: readonly DeviceTensor[] = []): boolean {
  const logs = Array.from({ length: 3 }, () => new CallLog());
  const [recorded, described, compared] = logs as [CallLog, CallLog, CallLog];
  const ready = (log: CallLog) => before.forEach((x) => log.nameOf(x));
  ready(recorded);
  const text = recorded.describe(first[0], first.slice(1));
  const pattern = patternOf(recorded, first[0], first.slice(1), before.length);
  ready(described);
  const isEqual = described.describe(second[0], second.slice(1)) === text;
  ready(compared);
  const isMatch = matchesPattern(compared, pattern, second[0], second.slice(1));
  assert.is(isMatch, isEqual, text);
  // What was compared is in the log as if it was described, or not at all.
  const expected = isMatch ? described : { tensors: before, hosts: [], numbers: [] };
  assert.equal(compared.tensors, expected.tensors);
  assert.equal([compared.hosts, compared.numbers], [expected.hosts, expected.numbers]);
  return isMatch;
}

test("numbers and values may differ, shapes and files may not", () => {
  const x = tensor(2, 3);
  assert.ok(isSame(["mul", x, 2], ["mul", x, 3], [x]));
  assert.ok(isSame(["input", "noise", host(2)], ["input", "noise", host(2)]));
  assert.not.ok(isSame(["input", "noise", host(2)], ["input", "noise", host(2, 1)]));
  assert.ok(isSame(["exp", tensor(2)], ["exp", tensor(2)]));
  assert.not.ok(isSame(["exp", tensor(2)], ["exp", tensor(3)]));
  assert.ok(isSame(["exp", inFile(0)], ["exp", inFile(0)]));
  assert.not.ok(isSame(["exp", inFile(0)], ["exp", inFile(4)]));
  assert.not.ok(isSame(["exp", inFile(0)], ["exp", tensor(2)]));
});

test("tensors are told apart by where they stand, and so are axes, shapes and operations", () => {
  const [x, y] = [tensor(2), tensor(2)];
  assert.not.ok(isSame(["add", x, y], ["add", y, x], [x, y]));
  assert.not.ok(isSame(["exp", x], ["exp", y], [x]));
  assert.ok(isSame(["concat", [x, y], 0], ["concat", [x, y], 0], [x]));
  assert.not.ok(isSame(["concat", [x, y], 0], ["concat", [x], 0], [x, y]));
  assert.not.ok(isSame(["concat", [x, y], 0], ["concat", [x, y], 1], [x, y]));
  assert.ok(isSame(["reshape", x, [1, 2]], ["reshape", x, [1, 2]], [x]));
  assert.not.ok(isSame(["reshape", x, [1, 2]], ["reshape", x, [2, 1]], [x]));
  assert.not.ok(isSame(["exp", x], ["log", x], [x]));
  assert.ok(isSame(["linear", x, y, null], ["linear", x, y, null], [x]));
  assert.not.ok(isSame(["linear", x, y, null], ["linear", x, y, y], [x]));
});

test("results of calls have a place in their own log only", () => {
  const [log, other] = [new CallLog(), new CallLog()];
  const result = new ShapedTensor({ shape: [2], dtype: "float32" });
  log.name(result);
  assert.equal([log.placeOf(result), other.placeOf(result)], [0, null]);
  assert.throws(() => other.describe("exp", [result]), "did not leave its tidy");
});

test.run();
