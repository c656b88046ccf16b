import { suite } from "uvu";
import * as assert from "uvu/assert";
import { lineSpan, positionAt, sourceFile } from "./source-file.ts";

const test = suite("source file");

test("offsets become lines and columns, whatever ends the lines", () => {
  const file = sourceFile("a", "ab\ncd\r\nef\rgh");
  assert.equal(
    [0, 2, 3, 5, 7, 9, 10, 12].map((offset) => positionAt(file, offset)),
    [
      { line: 1, column: 1 },
      { line: 1, column: 3 },
      { line: 2, column: 1 },
      { line: 2, column: 3 },
      { line: 3, column: 1 },
      { line: 3, column: 3 },
      { line: 4, column: 1 },
      { line: 4, column: 3 },
    ],
  );
});

test("offsets outside the file are its ends", () => {
  const file = sourceFile("a", "ab\n");
  assert.equal(positionAt(file, 99), { line: 2, column: 1 });
  assert.equal(positionAt(file, -1), { line: 1, column: 1 });
});

test("a line's range leaves out its line break", () => {
  const file = sourceFile("a", "ab\r\ncd\n");
  const text = (line: number) => file.text.slice(lineSpan(file, line).start, lineSpan(file, line).end);
  assert.equal([1, 2, 3].map(text), ["ab", "cd", ""]);
});

test.run();
