import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createLru } from "./lru.ts";

const test = suite("lru");

test("the least recently used go first, and no more than necessary", () => {
  const gone: string[] = [];
  const { add, ...lru } = createLru<string>(10, (item) => gone.push(item));
  const put = (item: string, bytes: number) => {
    add(item, bytes);
    lru.trim();
  };
  put("a", 4);
  put("b", 4);
  lru.used("a");
  put("c", 4);
  assert.equal(gone, ["b"]);
  put("d", 2);
  assert.equal(gone, ["b"]);
  // 15 with it: without the oldest, of 4, still 11.
  put("e", 5);
  assert.equal(gone, ["b", "a", "c"]);
});

test("an item larger than the limit stays, alone", () => {
  const gone: string[] = [];
  const { add, ...lru } = createLru<string>(10, (item) => gone.push(item));
  const put = (item: string, bytes: number) => {
    add(item, bytes);
    lru.trim();
  };
  put("a", 4);
  put("b", 40);
  assert.equal(gone, ["a"]);
  lru.remove("b");
  lru.used("b");
  put("c", 9);
  assert.equal(gone, ["a"]);
});

test.run();
