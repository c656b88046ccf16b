import { suite } from "uvu";
import * as assert from "uvu/assert";
import { totalmem } from "node:os";
import { usableMemory } from "../shell/machine.ts";
import { judgeMemory } from "./memory-check.ts";

const test = suite("memory that does not fit");
const room = { bytes: 16 * 2 ** 30, owner: "this machine" };
const said = (gib: number, isIgnored = false) => judgeMemory(gib * 2 ** 30, room, isIgnored)[0];

test("what fits is not mentioned, nor what can not be known", () => {
  assert.equal(judgeMemory(16 * 2 ** 30, room, false), []);
  assert.equal(judgeMemory(2 ** 50, null, false), []);
});

test("more than there is is a warning with both numbers, more than twice as much an error, unless that is asked for", () => {
  const [warning, error, asked] = [said(17), said(33), said(33, true)];
  assert.equal([warning?.code, warning?.severity], ["LTX6240", "warning"]);
  assert.match(warning?.message ?? "", "about 17.0 GiB of memory, and this machine has 16.0 GiB");
  assert.is(said(32)?.severity, "warning");
  assert.equal([error?.code, error?.severity], ["LTX6241", "error"]);
  assert.match(error?.help ?? "", "runtime.ignore_memory: true");
  assert.equal([asked?.code, asked?.severity], ["LTX6240", "warning"]);
});

test("a container's limit counts, where it is less than the machine has", () => {
  assert.ok(usableMemory() > 0 && usableMemory() <= totalmem());
});

test.run();
