import { Writable } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { endWithoutReaders, openOutput, type OutputFailure } from "./output.ts";

const test = suite("output to readers that are slow");

/** A stream whose reader takes nothing until `read` is called, and then one write at a time. */
function slowStream() {
  const taken: string[] = [];
  let waiting: (() => void) | null = null;
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _, done) {
      waiting = () => {
        taken.push(text);
        done();
      };
    },
  });
  const read = async (): Promise<boolean> => {
    const next = waiting;
    waiting = null;
    next?.();
    await new Promise(setImmediate);
    return next !== null;
  };
  return { stream, taken, read };
}

test("what a slow reader has not taken waits, in order, and reaches it", async () => {
  const { stream, taken, read } = slowStream();
  const output = openOutput(stream, "stdout");
  output.watch(() => assert.unreachable());
  const lines = Array.from({ length: 5000 }, (_, i) => `line ${i} ${"x".repeat(50)}\n`);
  for (const line of lines) output.write(line);
  assert.ok(output.isBehind);
  // The stream itself, which can not be made to give anything up, holds little.
  assert.ok(stream.writableLength < 2 ** 17);
  while (await read());
  assert.is(taken.join(""), lines.join(""));
  assert.not(output.isBehind);
});

test("a reader that never reads is given up, once, and what waited for it is dropped", async () => {
  const { stream, taken, read } = slowStream();
  const output = openOutput(stream, "stdout");
  const failures: OutputFailure[] = [];
  output.watch((failure) => failures.push(failure));
  const mebibyte = "x".repeat(2 ** 20);
  for (let i = 0; i < 20; i++) output.write(mebibyte);
  assert.equal(failures, [{ name: "stdout", reason: "its reader has stopped reading" }]);
  while (await read());
  assert.is(taken.join("").length, 2 ** 20);
});

test("a command that prints results waits for its reader, however long that takes", async () => {
  const { stream, taken, read } = slowStream();
  const output = openOutput(stream, "stdout");
  const mebibyte = "x".repeat(2 ** 20);
  for (let i = 0; i < 20; i++) output.write(mebibyte);
  while (await read());
  assert.is(taken.join("").length, 20 * 2 ** 20);
});

test("a terminal that is watched is not waited for", () => {
  const { stream } = slowStream();
  const calls: boolean[] = [];
  const terminal = Object.assign(stream, { isTTY: true, _handle: { setBlocking: (on: boolean) => calls.push(on) } });
  const output = openOutput(terminal, "stderr");
  assert.equal(calls, []);
  output.watch(() => {});
  output.watch(() => {});
  assert.equal(calls, [false]);
});

/** Resolves when the process would be ended; the timer alone keeps no process alive. */
async function ended(outputs: Parameters<typeof endWithoutReaders>[0]): Promise<string> {
  const alive = setInterval(() => {}, 1000);
  const names = await new Promise<string>((end) => endWithoutReaders(outputs, { patience: 5, end }));
  clearInterval(alive);
  return names;
}

test("a process ends although a watched reader has stopped reading, but not before the others have read all", async () => {
  const [stuck, slow] = [slowStream(), slowStream()];
  const [out, err] = [openOutput(stuck.stream, "stdout"), openOutput(slow.stream, "stderr")];
  out.watch(() => {});
  out.write("never read\n");
  err.write("read late\n");
  let lost: string | null = null;
  const end = ended([out, err]).then((names) => (lost = names));
  for (let i = 0; i < 20; i++) await new Promise((next) => setTimeout(next, 5));
  assert.is(lost, null);
  await slow.read();
  assert.is(await end, "stdout");
  assert.equal([stuck.taken, slow.taken], [[], ["read late\n"]]);
});

test.run();
