import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readSpeed, saveSpeed } from "./saved-speeds.ts";

const test = suite<{ folder: string; file: string }>("saved speeds");
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), "ltxc-speeds-"));
  context.file = join(context.folder, "cache/speeds.json");
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

const speed = { matmulGflops: 130.5, bandwidthGBs: 8.25, measuredAt: "2026-11-27T08:15:00.000Z" };
const faster = { ...speed, matmulGflops: 140 };

test("a speed is read as it was saved, by engine and build; a later one replaces it", ({ file }) => {
  saveSpeed(file, "wasm", "a", faster);
  saveSpeed(file, "onnx on cpu", "a", speed);
  assert.equal(readSpeed(file, "onnx on cpu", "a"), speed);
  assert.equal(readSpeed(file, "wasm", "a"), faster);
  assert.is(readSpeed(file, "cpu", "a"), null);
  assert.is(readSpeed(file, "wasm", "b"), null);
  saveSpeed(file, "onnx on cpu", "a", faster);
  assert.equal(readSpeed(file, "onnx on cpu", "a"), faster);
  saveSpeed(file, "cpu", "b", speed);
  assert.is(readSpeed(file, "wasm", "a"), null, "what another build measured is dropped");
});

test("speeds of another machine are not used", ({ file }) => {
  saveSpeed(file, "wasm", "a", speed);
  const written = readFileSync(file, "utf8");
  for (const [what, other] of [
    [/"cores": \d+/, '"cores": 999'],
    [/"processor": ".*"/, '"processor": "another"'],
  ] as const) {
    writeFileSync(file, written.replace(what, other));
    assert.is(readSpeed(file, "wasm", "a"), null, other);
  }
  writeFileSync(file, written);
  assert.equal(readSpeed(file, "wasm", "a"), speed);
});

test("what is damaged, odd or open to others counts as none, and is replaced", ({ file }) => {
  saveSpeed(file, "wasm", "a", speed);
  const written = readFileSync(file, "utf8");
  const odd = ["", "{", "[]", "null", '"x"', "{}", '{"wasm":null}', '{"wasm":[]}', '{"__proto__":{}}'];
  const wrong = ['"130.5"', "-1", "0", "1e999", "null"].map((rate) => written.replace("130.5", rate));
  for (const text of [...odd, ...wrong, written.replace("2026-11-27T", "once")]) {
    writeFileSync(file, text);
    assert.is(readSpeed(file, "wasm", "a"), null, text);
    saveSpeed(file, "wasm", "a", speed);
    assert.equal(readSpeed(file, "wasm", "a"), speed, text);
  }
  chmodSync(file, 0o666);
  assert.is(readSpeed(file, "wasm", "a"), null);
});

test("a place that cannot be written is no error", () => {
  saveSpeed("/proc/ltxc/speeds.json", "wasm", "a", speed);
  assert.is(readSpeed("/proc/ltxc/speeds.json", "wasm", "a"), null);
});

test.run();
