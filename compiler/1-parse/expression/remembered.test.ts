import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Bag } from "../../diagnostics/bag.ts";
import { nodesOf } from "./children.ts";
import { parseBinder, parseExpression, parseItem } from "./parse.ts";

const test = suite("remembered expressions");

/** The texts at the places that the nodes of an expression have. */
function pieces(text: string, before: string, mapOffset = (offset: number) => before.length + offset): string[] {
  const file = before + text;
  const bag = new Bag();
  const found = [...nodesOf(parseExpression(text, mapOffset, bag))].map(({ span }) => file.slice(span.start, span.end));
  assert.equal(bag.sorted(), []);
  return found;
}

test("a text that was read before has its own places", () => {
  const text = "mean(holes, channel) > limit and not video.keep";
  const first = pieces(text, "");
  assert.is(first[0], text);
  assert.equal(pieces(text, "let:\n  hole: "), first);
  assert.equal(pieces(text, "  "), first);
  assert.equal(pieces(text, "let:\n  hole: "), first);
});

test("what is wrong in a text is said each time", () => {
  for (const shift of [0, 0, 7]) {
    const bag = new Bag();
    parseExpression("a && b", (offset) => offset + shift, bag);
    assert.equal(
      bag.sorted().map(({ code, span }) => [code, span.start]),
      [["LTX1103", 2 + shift]],
    );
  }
});

test("also of a bag that holds the same finding already", () => {
  const bag = new Bag();
  for (let i = 0; i < 2; i++) parseExpression("c && d", (offset) => offset, bag);
  const later = new Bag();
  parseExpression("c && d", (offset) => offset, later);
  assert.is(later.sorted().length, 1);
});

test("a text that is written otherwise than it is read keeps the gaps in its places", () => {
  // As in `a +` and, on a line of its own, `b`: one space stands for a line break with two spaces.
  const folded = (offset: number) => (offset <= 3 ? offset : offset + 2);
  const placesOf = (mapOffset: (offset: number) => number) =>
    [...nodesOf(parseExpression("a + b", mapOffset, new Bag()))].map(({ span }) => [span.start, span.end]);
  assert.equal(placesOf((offset) => offset).at(-1), [4, 5]);
  assert.equal(placesOf(folded).at(-1), [6, 7]);
  assert.equal(placesOf((offset) => offset).at(-1), [4, 5]);
});

test("the same text is read by the rule that is asked for", () => {
  const identity = (offset: number) => offset;
  assert.is(parseExpression("first_frame", identity, new Bag()).kind, "name");
  assert.is(parseItem("first_frame", identity, new Bag()).probability, null);
  assert.is(parseBinder("first_frame", identity, new Bag())?.name.text, "first_frame");
});

test.run();
