import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createShelf } from "./shelf.ts";

const test = suite("shelf");

test("what was not used for longest goes first, and only as much as has to", () => {
  const gone: string[] = [];
  const { add, ...shelf } = createShelf<string>(10, (item) => gone.push(item));
  const put = (item: string, bytes: number) => {
    add(item, bytes);
    shelf.trim();
  };
  put("a", 4);
  put("b", 4);
  shelf.used("a");
  put("c", 4);
  assert.equal(gone, ["b"]);
  put("d", 2);
  assert.equal(gone, ["b"]);
  // 15 with it: without the oldest, of 4, still 11.
  put("e", 5);
  assert.equal(gone, ["b", "a", "c"]);
});

test("what is too large for it stays alone", () => {
  const gone: string[] = [];
  const { add, ...shelf } = createShelf<string>(10, (item) => gone.push(item));
  const put = (item: string, bytes: number) => {
    add(item, bytes);
    shelf.trim();
  };
  put("a", 4);
  put("b", 40);
  assert.equal(gone, ["a"]);
  shelf.remove("b");
  shelf.used("b");
  put("c", 9);
  assert.equal(gone, ["a"]);
});

test.run();
