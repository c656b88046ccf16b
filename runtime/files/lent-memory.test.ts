import { suite } from "uvu";
import * as assert from "uvu/assert";
import { memoryStore } from "./lent-memory.ts";

const test = suite("lent-memory");

test("what is lent at one time is not lent twice, and afterwards it is", async () => {
  const withMemory = memoryStore();
  const [first, second] = await withMemory(100, (outer) =>
    withMemory(100, async (inner) => [outer.fill(1), inner.fill(2)] as const),
  );
  assert.is.not(first.buffer, second.buffer);
  assert.equal([first[99], second[0]], [1, 2]);
  const again = await withMemory(50, async (memory) => memory);
  assert.ok(again.buffer === first.buffer || again.buffer === second.buffer);
  assert.is(again.length, 50);
});

test("an error gives the memory back as well", async () => {
  const withMemory = memoryStore();
  let used: ArrayBufferLike | null = null;
  const failed = withMemory(7000, (memory) => {
    used = memory.buffer;
    return Promise.reject(new Error("no"));
  });
  await failed.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, "no"),
  );
  assert.is((await withMemory(7000, async (memory) => memory)).buffer, used);
});

test("the smallest piece that is large enough is lent, and of five the smallest is not kept", async () => {
  const withMemory = memoryStore();
  const lengths = [5_000_000, 1_000_000, 4_000_000, 2_000_000, 3_000_000];
  const lend = async (
    [length = 0, ...more]: readonly number[],
    done: readonly Buffer[] = [],
  ): Promise<readonly Buffer[]> =>
    withMemory(length, (memory) =>
      more.length === 0 ? Promise.resolve([...done, memory]) : lend(more, [...done, memory]),
    );
  const [five, one, four, two, three] = (await lend(lengths)).map(({ buffer }) => buffer);
  const first = (length: number) => withMemory(length, async ({ buffer }) => buffer);
  assert.is(await first(3_500_000), four);
  assert.is(await first(1), two);
  assert.is(await first(2_000_001), three);
  assert.is(await first(4_000_001), five);
  assert.is.not(await first(1), one);
});

test("large pieces are not kept", async () => {
  const withMemory = memoryStore();
  const large = await withMemory(2 ** 26 + 1, async (memory) => memory);
  const next = await withMemory(2 ** 26 + 1, async (memory) => memory);
  assert.is.not(next.buffer, large.buffer);
});

test.run();
