import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { strategyWith } from "../../scripts/fuzz-strategies.ts";
import { parseStrategy } from "../1-parse/strategy.ts";
import { Bag } from "../diagnostics/bag.ts";
import { sourceFile } from "../source/source-file.ts";
import { format, meaningOf } from "./format.ts";

const test = suite("format");
const root = new URL("../../", import.meta.url);

function formatted(text: string): string {
  const result = format({ path: "a.strategy", text });
  assert.equal(result.diagnostics, []);
  if (result.text === null) throw new Error("there is no text");
  return result.text;
}

function meaning(text: string): string {
  const bag = new Bag();
  const parsed = parseStrategy(sourceFile("a.strategy", text), bag);
  if (parsed === null || bag.hasErrors) throw new Error(`this cannot be parsed:\n${text}`);
  return meaningOf(parsed, text);
}

function checkText(text: string): void {
  const once = formatted(text);
  assert.is(meaning(once), meaning(text.replaceAll("\r\n", "\n")));
  assert.is(formatted(once), once);
}

/** Every strategy below a folder of the repository. */
function strategiesIn(folder: string): string[] {
  const names = readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".strategy")).map((name) => `${folder}${name}`);
}

const texts = ["compiler/builtin/", "examples/", "compiler/diagnostics/samples/"]
  .flatMap(strategiesIn)
  .map((path) => ({ path, text: readFileSync(new URL(path, root), "utf8") }))
  .filter(({ text }) => format({ path: "a.strategy", text }).text !== null);

test("meaning and comments stay, and formatting again changes nothing", () => {
  assert.ok(texts.length > 40, `only ${texts.length} strategies can be parsed`);
  for (const { text } of texts) checkText(text);
});

test("what ships is formatted", () => {
  const shipped = texts.filter(({ path }) => !path.includes("samples"));
  assert.equal(
    shipped.filter(({ text }) => formatted(text) !== text).map(({ path }) => path),
    [],
  );
});

test("what would be too large with its indentation stays as it is, with a finding", () => {
  const { diagnostics, text } = format({ path: "a.strategy", text: `description: 'x${"\n x".repeat(160_000)}'\n` });
  assert.is(text, null);
  assert.equal(
    diagnostics.map(({ code, message }) => `${code} ${message}`),
    ["LTX1009 this document is too large once it is laid out"],
  );
});

test("thousands of blank lines in a text, and of comments in a row", () => {
  checkText(`description: |+\n${" \n".repeat(130_000)}`);
  const comments = `let:\n${"    # note\n".repeat(8000)}    a: 1\n`;
  assert.is(formatted(comments), comments.replaceAll("    ", "  "));
});

/** Another indentation, wider gaps, and a comment on a line of its own wherever a line begins with a key or a dash. */
const untidy = fc
  .tuple(
    fc.constantFrom(...texts.map(({ text }) => text)),
    fc.integer({ min: 1, max: 5 }),
    fc.infiniteStream(fc.nat(9)),
  )
  .map(([text, unit, random]) => {
    const next = () => random.next().value as number;
    const lines = text.split("\n").map((line) => {
      const indent = (/^ */.exec(line)?.[0].length ?? 0) / 2;
      const content = line
        .trimStart()
        .replace(/ (and|or|over|per|>|\*) /g, (gap) => " ".repeat(next() % 3) + gap + " ");
      const wide =
        " ".repeat(indent * unit) + content.replace(/^(- |[\w]+:(?= \S))/, (mark) => mark + " ".repeat(next()));
      return next() < 2 && /^ *(- |[\w]+:)/.test(line) ? `${" ".repeat(next())}# note ${next()}\n${wide}` : wide;
    });
    return lines.join(next() < 5 ? "\n" : "\r\n");
  })
  .filter((text) => format({ path: "a.strategy", text }).text !== null);

test("whatever the layout before", () => fc.assert(fc.property(untidy, checkText), { numRuns: 150 }));

/** What cannot be parsed in version 1, or has grown beyond the limits, is an error whatever its layout. */
const canBeParsed = (text: string): boolean => format({ path: "a.strategy", text }).text !== null;

/** In version 2 of the language other spellings are the same, so what a text says is compared elsewhere. */
const grown = strategyWith.map(({ text }) => text.replace("language: 2", "language: 1"));

test("grown strategies", () => fc.assert(fc.property(grown.filter(canBeParsed), checkText), { numRuns: 40 }));

const minimal = "strategy: a\n";

test("two spaces for each level, one between marks, at most one blank line", () => {
  const text = `${minimal}\n\n\nvideo:\n     keep  :   [ "a+b",c ]  # why\n     sources:\n     -   {a: 1,b : x}\n\n\n`;
  const expected = `${minimal}\nvideo:\n  keep: ["a + b", c]  # why\n  sources:\n    - {a: 1, b: x}\n`;
  assert.is(formatted(text), expected);
});

test("comments go with what follows them", () => {
  const text = `${minimal}video:\n    # latents\n    latents: x\n    keep:\n    # first\n    - a\n    - b\n    # speed\n    fps: 24\n    # last\n# losses\nloss: {}\n`;
  const expected = `${minimal}video:\n  # latents\n  latents: x\n  keep:\n    # first\n    - a\n    - b\n  # speed\n  fps: 24\n  # last\n# losses\nloss: {}\n`;
  assert.is(formatted(text), expected);
});

test("block scalars keep their kind, their lines and their own indentation", () => {
  const text = `${minimal}description: |+\n      a\n        b\n\n\nlet:\n      m: >-\n          a+b\n          and   c\n      n: |2\n          x\n`;
  const expected = `${minimal}description: |+\n  a\n    b\n\n\nlet:\n  m: >-\n    a + b\n    and c\n  n: |2\n      x\n`;
  assert.is(formatted(text), expected);
});

test("a broken file is left alone, with what is wrong with it", () => {
  for (const text of ["video: [", `${minimal}let:\n  a: 1 +\n`, "- a\n", ""]) {
    const result = format({ path: "a.strategy", text });
    assert.is(result.text, null);
    assert.ok(result.diagnostics.length > 0, text);
  }
});

test.run();
