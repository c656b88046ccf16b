import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Bag } from "../diagnostics/bag.ts";
import { sourceFile } from "../source/source-file.ts";
import { decode, type ScalarStyle } from "./scalar-map.ts";
import { nodeAt, toPlain, type YamlNode } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

const test = suite("yaml");

function parse(text: string): { readonly tree: YamlNode | null; readonly errors: string[] } {
  const bag = new Bag();
  const tree = parseYaml(sourceFile("a.strategy", text), bag);
  const errors = bag.sorted().map(({ code, span }) => `${code} ${JSON.stringify(text.slice(span.start, span.end))}`);
  return { tree, errors };
}

function scalars(node: YamlNode | null): Extract<YamlNode, { kind: "scalar" }>[] {
  if (node === null) return [];
  if (node.kind === "scalar") return [node];
  if (node.kind === "sequence") return node.items.flatMap(scalars);
  return node.entries.flatMap(({ keyNode, value }) => [keyNode, ...scalars(value)]);
}

test("values are those of YAML 1.2", () => {
  const { tree, errors } = parse("a: 010\nb: yes\nc: [1e-4, true, null, ~, '1']\nd: {e: x y}\nf:\n");
  assert.equal(errors, []);
  assert.ok(tree);
  assert.equal(toPlain(tree), { a: 10, b: "yes", c: [0.0001, true, null, null, "1"], d: { e: "x y" }, f: null });
});

test("a key named __proto__ is an ordinary key", () => {
  const { tree } = parse("__proto__: {polluted: 1}\nconstructor: 2\n");
  assert.ok(tree);
  const plain = toPlain(tree) as Record<string, unknown>;
  assert.equal(Object.keys(plain), ["__proto__", "constructor"]);
  assert.is(Object.getPrototypeOf(plain), Object.prototype);
  assert.is((plain as { polluted?: unknown }).polluted, undefined);
});

test("positions count a byte order mark and line breaks of two characters", () => {
  const text = "\ufeffa: 1\r\nb:\r\n  - x\r\n";
  const { tree, errors } = parse(text);
  assert.equal(errors, []);
  assert.ok(tree);
  const place = nodeAt(tree, ["b", 0]);
  assert.is(text.slice(place.span.start, place.span.end), "x");
  const b = nodeAt(tree, ["b"]).keySpan;
  assert.is(text.slice(b?.start, b?.end), "b");
});

test("a path that the file does not have leads to its deepest known part", () => {
  const { tree } = parse("a: {b: [1]}\n");
  assert.ok(tree);
  assert.is(nodeAt(tree, ["a", "b", 3, "c"]).depth, 2);
  assert.is(nodeAt(tree, ["a", "zzz"]).depth, 1);
});

test("aliases repeat their anchor", () => {
  const { tree, errors } = parse("a: &x [1, 2]\nb: *x\n");
  assert.equal(errors, []);
  assert.ok(tree);
  assert.equal(toPlain(tree), { a: [1, 2], b: [1, 2] });
});

test("commas inside quotes and closed parentheses split nothing", () => {
  const { tree, errors } = parse("a: ['f(b, c)', (d), e(, f, \"x)\"]\n");
  assert.equal(errors, []);
  assert.ok(tree);
  assert.equal(toPlain(tree), { a: ["f(b, c)", "(d)", "e(", "f", "x)"] });
});

const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
  .concat(Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`))
  .join("\n");

const mistakes: readonly (readonly [string, string, ...string[]])[] = [
  ["a tab", "a:\n\tb: 1\n", 'LTX1002 "\\t"'],
  ["a tab among keys", "a:\n  b: 1\n\tc: 2\n  d: 3\n  e: 4\n", 'LTX1002 "\\t"'],
  ["a tag of Python", "a: !!python/object:os.system x\n", 'LTX1004 "!!python/object:os.system"'],
  ["a tab without the line above", "c: @x\na:\n  b:\n\t- 1\n", 'LTX1001 "@"', 'LTX1002 "\\t"'],
  ["a nested mapping on one line", "a: b: c\n", 'LTX1001 "b"'],
  ["an open list", "a: [1, 2\nb: 3\n", 'LTX1001 "b"'],
  ["an open quote", "a: 'x\n", 'LTX1001 "\'"'],
  ["an open quote that ends in an escaped one", "a: '''", `LTX1001 "'"`],
  ["an open double quote that ends in an escaped one", 'a: "x\\"', `LTX1001 "\\""`],
  ["two broken lines", "a: @x\nb: `y\n", 'LTX1001 "@"', 'LTX1001 "`"'],
  ["duplicate keys", "a: 1\nb: {c: 1, c: 2}\na: 2\n", 'LTX1003 "c"', 'LTX1003 "a"'],
  ["tags", "a: !foo 1\nb: !!binary x\nc: !!str 1\n", 'LTX1004 "!foo"', 'LTX1004 "x"'],
  ["an alias without anchor", "a: *x\n", 'LTX1005 "*x"'],
  ["an alias in its own anchor", "a: &x [*x]\n", 'LTX1005 "*x"'],
  ["a merge key", "a: &x {b: 1}\nc:\n  <<: *x\n", 'LTX1006 "<<"'],
  ["two documents", "a: 1\n---\nb: 2\n", 'LTX1007 ""'],
  ["keys that are not text", "1: a\n[x]: b\ntrue: c\n", 'LTX1008 "1"', 'LTX1008 "[x]"', 'LTX1008 "true"'],
  ["an alias bomb", bomb, 'LTX1009 ""'],
  ["deep nesting", `a: ${"[".repeat(5000)}`, 'LTX1009 ""'],
  ["deep block nesting", "- ".repeat(5000), 'LTX1009 ""'],
  ["many keys", Array.from({ length: 60000 }, (_, i) => `k${i}: 1`).join("\n"), 'LTX1009 ""'],
  ["a huge file", "#".repeat(500_001), 'LTX1009 ""'],
  ["blank lines without end", "\n".repeat(2 ** 18), 'LTX1009 ""'],
  ["commas without end", `a: [${",".repeat(100_000)}]`, 'LTX1009 ""'],
  ["an open bracket after the other", "[".repeat(100_000), 'LTX1009 ""'],
  ["a wide list that is repeated", `a: &a [${"1,".repeat(9000)}]\nb: [${"*a,".repeat(9000)}]`, 'LTX1009 ""'],
  ["an empty file", "# nothing\n", 'LTX1010 ""'],
  ["a call in a flow list", "a: [x, f(b, c), y]\n", 'LTX1111 "f(b, c)"'],
  ["a call in a flow mapping", "a: {x: f(b, g(c, d)) over m, y: 1}\n", 'LTX1111 "x: f(b, g(c, d)) over m"'],
  ["parameters in a flow mapping", "a: {f(b, c): d, e: 1}\n", 'LTX1111 "f(b, c): d"'],
  ["infinity", "a: .inf\nb: .nan\n", 'LTX1011 ".inf"', 'LTX1011 ".nan"'],
  ["control characters", "a: \u0002b\n", 'LTX1012 "\\u0002"'],
  ["a directive", "%YAML 1.1\n---\na: yes\n", 'LTX1001 "%YAML 1.1"'],
];
for (const [title, text, ...expected] of mistakes)
  test(`reports ${title}`, () => assert.equal(parse(text).errors, expected));

test("a text that begins with a placeholder is led into quotes", () => {
  const helpOf = (text: string) => {
    const bag = new Bag();
    parseYaml(sourceFile("train.yaml", text), bag, "1.1");
    return bag.sorted().map(({ help }) => help);
  };
  assert.equal(helpOf("seed: 1\noutput_dir: {strategy}-{date}/x\n"), [
    'a text that begins with `{` stands in quotes: `output_dir: "{strategy}-{date}/x"`',
  ]);
  assert.match(helpOf("a: {b: 1} c\n")[0] ?? "", "check the indentation");
});

test("a large strategy is far within the bounds", () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `  v${i}: mean(video.latents, channel) # ${i}\n`);
  assert.equal(parse(`let:\n${lines.join("")}`).errors, []);
});

test("an error per quote costs no search of the whole text each", () => {
  const quotes = Array.from({ length: 20_000 }, (_, i) => `' k${i}: 1\n`).join("");
  const { errors } = parse(`a: 1\nb: [${quotes}`);
  assert.equal(errors.slice(0, 1), [`LTX1001 "'"`]);
});

test("each of many errors is found, and errors have stack traces again", () => {
  const { stackTraceLimit } = Error;
  assert.is(parse(`a:\n${"  - @x\n".repeat(500)}`).errors.length, 500);
  assert.is(Error.stackTraceLimit, stackTraceLimit);
});

const pieces = fc.constantFrom(
  "a",
  "bc",
  " ",
  "  ",
  "\n",
  "\n\n",
  "é",
  "😀",
  "-",
  "(",
  "x > 0.5",
  "'",
  '"',
  "\\",
  "\t",
  "#",
);
const content = fc.array(pieces, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(""));

/** A scalar in some style, somewhere in a file. */
const written = fc
  .record({
    style: fc.constantFrom("plain", "single", "double", "literal", "folded"),
    content,
    eol: fc.constantFrom("\n", "\r\n"),
    chomp: fc.constantFrom("", "-", "+"),
    indent: fc.constantFrom("  ", "    "),
    hint: fc.boolean(),
  })
  .map(({ style, content, eol, chomp, indent, hint }) => {
    const indented = content.replaceAll("\n", `\n${indent}`);
    const texts: Record<string, string> = {
      plain: indented,
      single: `'${indented.replaceAll("'", "''")}'`,
      double: `"${indented.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("é", "\\xe9").replaceAll("-", "\\\n")}"`,
      literal: `|${hint ? indent.length : ""}${chomp}\n${indent}${indented}`,
      folded: `>${hint ? indent.length : ""}${chomp} # comment\n${indent}${indented}`,
    };
    return `first: 1\nkey: ${texts[style]}\nlast: 2\n`.replaceAll("\n", eol);
  });

test("every character of a scalar is found where the file writes it", () => {
  let compared = 0;
  fc.assert(
    fc.property(written, (text) => {
      const { tree, errors } = parse(text);
      if (tree === null || errors.length > 0) return;
      for (const scalar of scalars(tree)) {
        compared += checkScalar(text, scalar);
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(compared > 2000, `only ${compared} characters compared`);
});

/** Characters that are written as themselves must be found; our own reading must never fall back to a guess. */
function checkScalar(text: string, scalar: Extract<YamlNode, { kind: "scalar" }>): number {
  const raw = text.slice(scalar.span.start, scalar.span.end);
  assert.ok(
    styles.some((style) => decode(raw, style, scalar.text) !== null),
    JSON.stringify([raw, scalar.text]),
  );
  let last = scalar.span.start;
  let compared = 0;
  for (const [index, character] of [...scalar.text].map((c, i, all) => [all.slice(0, i).join("").length, c] as const)) {
    const offset = scalar.mapOffset(index);
    assert.ok(offset >= last && offset <= scalar.span.end, JSON.stringify([raw, scalar.text, index]));
    last = offset;
    if (!/[a-z(>0.5😀]/u.test(character)) continue;
    assert.is(text.slice(offset, offset + character.length), character, JSON.stringify([raw, scalar.text, index]));
    compared++;
  }
  return compared;
}

const styles: readonly ScalarStyle[] = ["plain", "single-quoted", "double-quoted", "literal", "folded"];

test("escapes are one place each", () => {
  const text = 'key: "a\\u00e9\\U0001F600\\tb"\n';
  const { tree } = parse(text);
  const scalar = scalars(tree).at(-1);
  assert.ok(scalar);
  assert.equal(
    Array.from({ length: 7 }, (_, index) => scalar.mapOffset(index)),
    [6, 7, 13, 13, 23, 25, 26],
  );
});

test("any text is read without an exception, and every span lies in it", () => {
  const part = fc.constantFrom(
    "a",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
    "|\n",
    ">-\n",
    "&x ",
    "*x",
    "!t ",
    "#",
    "? ",
    "\t",
    ",",
    "\r\n",
    "---\n",
    "...",
    "%",
    "\ufeff",
    "<<",
    "1",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(part, fc.string({ maxLength: 2 })), { maxLength: 25 }), (parts) => {
      const text = parts.join("");
      const bag = new Bag();
      const tree = parseYaml(sourceFile("a", text), bag);
      const spans = [...bag.sorted().map(({ span }) => span), ...scalars(tree).map(({ span }) => span)];
      for (const { start, end } of spans)
        assert.ok(0 <= start && start <= end && end <= text.length, JSON.stringify([text, start, end]));
    }),
    { numRuns: 2000 },
  );
});

test.run();
