import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Bag } from "../../diagnostics/bag.ts";
import type { BinaryOperator, Expression } from "./ast.ts";
import { EntryParser } from "./entries.ts";
import { parseBinder, parseExpression, parseItem } from "./parse.ts";
import { printExpression } from "./print.ts";

const test = suite("expressions");
const same = (offset: number) => offset;

function parse(text: string): Expression {
  const bag = new Bag();
  const expression = parseExpression(text, same, bag);
  assert.equal(bag.sorted(), [], text);
  return expression;
}

/** The tree as text with parentheses around every operator, so that a test shows how it groups. */
function grouping(e: Expression): string {
  switch (e.kind) {
    case "binary":
      return `(${grouping(e.left)} ${e.operator} ${grouping(e.right)})`;
    case "negate":
      return `(-${grouping(e.operand)})`;
    case "not":
      return `(not ${grouping(e.operand)})`;
    case "over":
      return `(${grouping(e.value)} over ${grouping(e.mask)})`;
    case "per":
      return `(${grouping(e.value)} per ${e.axes.map((axis) => axis.text).join("+")})`;
    case "if":
      return `(if ${grouping(e.condition)} then ${grouping(e.then)} else ${grouping(e.else)})`;
    case "member":
      return `(${grouping(e.object)} . ${e.member.text}${e.args === null ? "" : `(${e.args.map((a) => grouping(a.value)).join(", ")})`})`;
    case "index":
      return `(${grouping(e.object)} [${e.index}])`;
    default:
      return printExpression(e);
  }
}

test("a text is a side of `==` or `!=`, in either quotes", () => {
  assert.equal(withoutSpans(parse(`mode == "a b" and 'c"d' != mode`)), {
    kind: "binary",
    operator: "and",
    left: {
      kind: "binary",
      operator: "==",
      left: { kind: "name", name: "mode" },
      right: { kind: "text", value: "a b" },
    },
    right: {
      kind: "binary",
      operator: "!=",
      left: { kind: "text", value: 'c"d' },
      right: { kind: "name", name: "mode" },
    },
  });
  const text = `mode == "a b" and 'c"d' != mode`;
  assert.is(printExpression(parse(text)), text);
});

const withoutSpans = (tree: unknown): unknown =>
  JSON.parse(JSON.stringify(tree, (key, value) => (key.toLowerCase().endsWith("span") ? undefined : value)));

/** Errors as `code "text" message`, with the text they point at. */
function errors(
  text: string,
  parser: (text: string, map: typeof same, bag: Bag) => unknown = parseExpression,
): string[] {
  const bag = new Bag();
  parser(text, same, bag);
  return bag.sorted().map(({ code, span, message }) => `${code} "${text.slice(span.start, span.end)}" ${message}`);
}

test("the grammar has no ambiguities", () => {
  assert.not.throws(() => new EntryParser({ skipValidations: false }));
});

const groups: readonly (readonly [string, string])[] = [
  ["0.1 * mae(a, b) over m", "(0.1 * (mae(a, b) over m))"],
  ["f(a) over w over not m", "((f(a) over w) over (not m))"],
  ["-x^2", "(-(x ^ 2))"],
  ["x^-y^z", "(x ^ (-(y ^ z)))"],
  ["not a < b", "(not (a < b))"],
  ["not a and b or c", "(((not a) and b) or c)"],
  ["a - b - c * d / e", "((a - b) - ((c * d) / e))"],
  ["a / -b", "(a / (-b))"],
  ["if a then b else if c then d else e + 1", "(if a then b else (if c then d else (e + 1)))"],
  ["video.prefix(2).x[0]", "(((video . prefix(2)) . x) [0])"],
  ["uniform(0, 1) per (frame, channel) > 0.5", "((uniform(0, 1) per frame+channel) > 0.5)"],
  ["randn() per token:video", "(randn() per token:video)"],
  ["probability * a", "(probability * a)"],
  ["(a + b) * c", "((a + b) * c)"],
  [".5 + 1e-4", "(0.5 + 0.0001)"],
];
for (const [text, expected] of groups) test(`groups ${text}`, () => assert.is(grouping(parse(text)), expected));

test("named arguments keep their names", () => {
  const tree = parse("huber(a, b, delta=0.5)");
  assert.ok(tree.kind === "call");
  assert.equal(
    tree.args.map((argument) => argument.name?.text ?? null),
    [null, null, "delta"],
  );
});

test("spans cover the text, parentheses included, and go through the map", () => {
  const bag = new Bag();
  const tree = parseExpression("(a + bc) * d", (offset) => offset + 100, bag);
  assert.ok(tree.kind === "binary" && tree.left.kind === "binary");
  assert.equal(tree.span, { start: 100, end: 112 });
  assert.equal(tree.operatorSpan, { start: 109, end: 110 });
  assert.equal(tree.left.span, { start: 100, end: 108 });
  assert.equal(tree.left.right.span, { start: 105, end: 107 });
});

test("an item's probability belongs to the whole entry", () => {
  const bag = new Bag();
  const item = parseItem("not hole with probability probability / 2", same, bag);
  assert.equal(bag.sorted(), []);
  assert.is(grouping(item.value), "(not hole)");
  assert.ok(item.probability);
  assert.is(grouping(item.probability), "(probability / 2)");
  assert.equal(item.span, { start: 0, end: 41 });
});

test("a binder is a name, maybe with parameters", () => {
  const bag = new Bag();
  const binder = parseBinder("pseudo_huber(a, b)", same, bag);
  assert.equal(bag.sorted(), []);
  assert.equal(
    [binder?.name.text, binder?.parameters?.map((name) => name.text), binder?.span],
    ["pseudo_huber", ["a", "b"], { start: 0, end: 18 }],
  );
  assert.is(parseBinder("plain", same, bag)?.parameters, null);
});

const mistakes: readonly (readonly [string, ...string[]])[] = [
  [
    "a && !b",
    'LTX1103 "&&" `&&` is not an operator of this language',
    'LTX1103 "!" `!` is not an operator of this language',
  ],
  ["f(a b) + g(", 'LTX1101 "b" expected `)`, but found `b`', 'LTX1101 "" expected `)`, but the expression ends'],
  ["a < b < c", 'LTX1109 "<" comparisons cannot be chained'],
  ["x with probability 1", 'LTX1108 "with" `with probability` cannot stand here'],
  ["mean(x, token:video)", 'LTX1101 ":" expected `)`, but found `:`'],
  ["if a then b", 'LTX1101 "" expected `else`, but the expression ends'],
  ["x[-1] + 2", 'LTX1107 "-1" an index is one whole number'],
  ["x[1.5]", 'LTX1107 "1.5" an index is a whole number'],
  ["1e999 * a", 'LTX1105 "1e999" `1e999` is too large for a number'],
  ["a ? b : c", 'LTX1102 "a ? b : c" `?` means nothing here: a choice is written with words'],
  ['mean("x")', 'LTX1102 ""x"" a text stands here that nothing is compared with'],
  ['mode == f"soft"', 'LTX1102 "f"soft"" a text stands here that nothing is compared with'],
  ["mode < 'soft'", `LTX1102 "'soft'" a text stands here that nothing is compared with`],
  ["  ", 'LTX1106 "  " an expression is missing here'],
  ["a b", 'LTX1101 "b" expected an operator or the end of the expression, but found `b`'],
  ["(".repeat(60), `LTX1104 "${"(".repeat(60)}" this expression is too long or too deeply nested`],
];
for (const [text, ...expected] of mistakes) test(`reports ${text}`, () => assert.equal(errors(text), expected));

test("the deepest trees that are let through need little stack", () => {
  const texts = [`${"(".repeat(47)}a${")".repeat(47)}`, `a${"^a".repeat(499)}`, `a${" + a".repeat(499)}`];
  for (const text of texts) assert.equal(withoutSpans(parse(printExpression(parse(text)))), withoutSpans(parse(text)));
  assert.equal(errors(`${"if a then ".repeat(46)}b${" else c".repeat(46)}`), []);
});

const span = { start: 0, end: 0 };
const names = fc.constantFrom("a", "masks", "video", "probability", "iffy", "token");
const name = names.map((text) => ({ text, span }));
const operators: BinaryOperator[] = ["+", "-", "*", "/", "^", "<", "<=", ">", ">=", "==", "!=", "and", "or"];

const { tree } = fc.letrec<{ tree: Expression }>((tie) => {
  const node = tie("tree");
  const args = fc.array(fc.record({ name: fc.option(name), value: node }), { maxLength: 3 });
  const made = (kind: string, fields: Record<string, fc.Arbitrary<unknown>>) =>
    fc.record({ kind: fc.constant(kind), span: fc.constant(span), ...fields }) as unknown as fc.Arbitrary<Expression>;
  const axis = fc.constantFrom("frame", "token:video", "channel").map((text) => ({ text, span }));
  return {
    tree: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      made("name", { name: names }),
      made("number", { value: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((n) => n + 0) }),
      made("boolean", { value: fc.boolean() }),
      made("call", { callee: name, args }),
      made("member", { object: node, member: name, args: fc.option(args) }),
      made("index", { object: node, index: fc.nat(9) }),
      made("negate", { operand: node }),
      made("not", { operand: node }),
      made("binary", {
        operator: fc.constantFrom(...operators),
        operatorSpan: fc.constant(span),
        left: node,
        right: node,
      }),
      // oxlint-disable-next-line unicorn/no-thenable -- the part of an `if`
      made("if", { condition: node, then: node, else: node }),
      made("over", { value: node, mask: node }),
      made("per", { value: node, axes: fc.array(axis, { minLength: 1, maxLength: 3 }) }),
    ),
  };
});

test("printing and parsing give the same tree", () => {
  fc.assert(
    fc.property(tree, (expression) => {
      assert.equal(withoutSpans(parse(printExpression(expression))), withoutSpans(expression));
    }),
    { numRuns: 500 },
  );
});

test("any text is parsed without an exception, and every span lies in it", () => {
  const word = fc.constantFrom(
    "a",
    "(",
    ")",
    "if",
    "then",
    "else",
    "over",
    "per",
    "not",
    "^",
    "-",
    ",",
    ".",
    "[",
    "]",
    "0",
    "=",
    ":",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 3 })), { maxLength: 30 }), (words) => {
      const text = words.join(" ");
      const bag = new Bag();
      parseExpression(text, same, bag);
      parseItem(text, same, bag);
      parseBinder(text, same, bag);
      for (const { span } of bag.sorted())
        assert.ok(0 <= span.start && span.start <= span.end && span.end <= text.length);
    }),
    { numRuns: 500 },
  );
});

test.run();
