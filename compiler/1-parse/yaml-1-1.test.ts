import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Bag } from "../diagnostics/bag.ts";
import { sourceFile } from "../source/source-file.ts";
import { toPlain } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

const test = suite("YAML 1.1");

function read(text: string) {
  const bag = new Bag();
  const tree = parseYaml(sourceFile("train.yaml", text), bag, "1.1");
  return { data: tree === null ? null : toPlain(tree), codes: bag.sorted().map(({ code }) => code) };
}

/** Recorded from PyYAML 6.0.3, `yaml.safe_load`. */
const scalars: readonly (readonly [text: string, value: unknown])[] = [
  ["010", 8],
  ["0042", 34],
  ["-010", -8],
  ["007", 7],
  ["089", "089"],
  ["08.5", 8.5],
  ["0o10", "0o10"],
  ["1_000", 1000],
  ["0x1F", 31],
  ["0b101", 5],
  ["+5", 5],
  ["1:30", 90],
  ["-1:30:15", -5415],
  ["1:30.5", 90.5],
  ["10:61", "10:61"],
  ["0:30", "0:30"],
  ["1e-4", "1e-4"],
  ["1.0e-4", 0.0001],
  ["1.5e3", "1.5e3"],
  ["1.5e+3", 1500],
  [".5", 0.5],
  ["+.5", "+.5"],
  ["5.", 5],
  ["yes", true],
  ["On", true],
  ["oFF", "oFF"],
  ["OFF", false],
  ["y", "y"],
  ["n", "n"],
  ["~", null],
  ["Null", null],
  ["'yes'", "yes"],
  ['"010"', "010"],
];
for (const [text, value] of scalars) {
  test(`reads ${text}`, () => assert.equal(read(`a: ${text}`).data, { a: value }));
}

test("a date is text, with a warning that it needs quotes", () => {
  assert.equal(read("a: 2026-11-27\nb: 2026-11-27 10:00:00\nc: '2026-11-27'\nd: 2026-11-27-run\n"), {
    data: { a: "2026-11-27", b: "2026-11-27 10:00:00", c: "2026-11-27", d: "2026-11-27-run" },
    codes: ["LTX6390", "LTX6390"],
  });
});

test("a directive is one finding, which removes it and its marker", () => {
  const bag = new Bag();
  const text = "%YAML 1.2\n---\na: 1\n";
  parseYaml(sourceFile("train.yaml", text), bag, "1.1");
  const [found, ...more] = bag.sorted();
  assert.equal(more, []);
  assert.match(found?.message ?? "", "`%YAML 1.2`");
  assert.match(found?.help ?? "", "1.1 for run configs");
  const [edit] = found?.fix?.edits ?? [];
  assert.is(text.slice(edit?.span.end), "a: 1\n");
});

test("a number that most people read otherwise is warned about, and no other", () => {
  const numbers = "a: 010\nb: 1:30\nc: 007\nd: 0x10\ne: '010'\nf: 1_000\ng: 0\nh: 089\n";
  assert.equal(read(numbers).codes, ["LTX6012", "LTX6012"]);
});

test("merge keys add what is not there, the first of a list and the last of several first", () => {
  const text = [
    "a: &a {x: 1, y: 1}",
    "b: &b {y: 2, z: 2}",
    "one: {<<: *a, x: 3}",
    "two: {x: 4, <<: [*b, *a]}",
    "three:",
    "  <<: *a",
    "  <<: *b",
    "quoted: {'<<': 5}",
  ].join("\n");
  const { data, codes } = read(text);
  assert.equal(codes, []);
  assert.equal(data, {
    a: { x: 1, y: 1 },
    b: { y: 2, z: 2 },
    one: { x: 3, y: 1 },
    two: { x: 4, y: 2, z: 2 },
    three: { x: 1, y: 2, z: 2 },
    quoted: { "<<": 5 },
  });
});

test("a merge key over anything but mappings is one mistake", () => {
  for (const value of ["5", "text", "[1]", "[[{a: 1}]]"])
    assert.equal(read(`<<: ${value}\n`).codes, ["LTX1006"], value);
  assert.equal(read("<<: *nothing\n").codes, ["LTX1005"]);
});

test("strategies stay YAML 1.2", () => {
  const bag = new Bag();
  const tree = parseYaml(sourceFile("a.strategy", "a: 010\nb: yes\nc: 1:30\n"), bag);
  assert.equal(tree === null ? null : toPlain(tree), { a: 10, b: "yes", c: "1:30" });
});

test.run();
