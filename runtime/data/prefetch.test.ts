import { setImmediate as nextTurn } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { prefetch } from "./prefetch.ts";

const test = suite("prefetch");

/** A reader whose batches are ready when the test says so. */
function reader() {
  const begun: number[] = [];
  const finish = new Map<number, (error?: Error) => void>();
  const read = (index: number): Promise<string> => {
    begun.push(index);
    return new Promise((resolve, reject) => {
      finish.set(index, (error) => (error === undefined ? resolve(`batch ${index}`) : reject(error)));
    });
  };
  return { begun, finish: (index: number, error?: Error) => finish.get(index)?.(error), read };
}

const messageOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
};

test("reads as far ahead as told, each batch once, and not beyond the end", async () => {
  const { begun, finish, read } = reader();
  const data = prefetch(read, { ahead: 2, end: 9 });
  const first = data.load(5);
  assert.equal(begun, [5, 6, 7]);
  finish(5);
  assert.is(await first, "batch 5");
  const second = data.load(6);
  assert.equal(begun, [5, 6, 7, 8]);
  finish(6);
  assert.is(await second, "batch 6");
  const third = data.load(7);
  assert.equal(begun, [5, 6, 7, 8]);
  finish(7);
  finish(8);
  assert.is(await third, "batch 7");
  assert.is(await data.load(8), "batch 8");
  await data.close();
});

test("without reading ahead, a batch is read when it is asked for", async () => {
  const { begun, finish, read } = reader();
  const data = prefetch(read, { ahead: 0, end: 9 });
  const batch = data.load(3);
  finish(3);
  assert.is(await batch, "batch 3");
  assert.equal(begun, [3]);
  await data.close();
});

test("an error comes with its own batch, and leaves the others alone", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  const { finish, read } = reader();
  const data = prefetch(read, { ahead: 2, end: 3 });
  const first = data.load(0);
  finish(1, new Error("broken file"));
  await nextTurn();
  finish(0);
  finish(2);
  assert.is(await first, "batch 0");
  assert.is(await messageOf(data.load(1)), "broken file");
  assert.is(await data.load(2), "batch 2");
  await data.close();
  await nextTurn();
  process.off("unhandledRejection", note);
  assert.equal(unhandled, []);
});

test("a reader that throws at once rejects its batch only", async () => {
  const data = prefetch(
    async (index) => {
      if (index === 1) throw new Error("at once");
      return index;
    },
    { ahead: 1, end: 3 },
  );
  assert.is(await data.load(0), 0);
  assert.is(await messageOf(data.load(1)), "at once");
  assert.is(await data.load(2), 2);
  await data.close();
});

test("closing tells the readers, waits for them and swallows what they throw", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  let [open, aborted] = [0, 0];
  const read = async (index: number, signal: AbortSignal) => {
    if (index === 0) return index;
    open++;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    aborted++;
    await nextTurn();
    open--;
    throw new Error("given up");
  };
  const data = prefetch(read, { ahead: 3, end: 10 });
  assert.is(await data.load(0), 0);
  assert.is(open, 3);
  await data.close();
  await data.close();
  assert.equal([open, aborted], [0, 3]);
  assert.is(await messageOf(data.load(1)), "the data is already closed");
  await nextTurn();
  process.off("unhandledRejection", note);
  assert.equal(unhandled, []);
});

test.run();
