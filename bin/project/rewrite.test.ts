import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseYaml } from "../../compiler/1-parse/index.ts";
import { Bag } from "../../compiler/diagnostics/index.ts";
import { sourceFile } from "../../compiler/source/index.ts";
import type { Rewrite } from "../../runtime/findings.ts";
import { editsOf } from "./rewrite.ts";

const test = suite("rewrite");

/** The text after the rewrites, or null where they are not certain. */
function rewritten(text: string, ...rewrites: readonly Rewrite[]): string | null {
  const file = sourceFile("train.yaml", text);
  const root = parseYaml(file, new Bag(), "1.1");
  if (root === null) throw new Error("no YAML");
  const edits = editsOf(file, root, rewrites);
  const last = (edits ?? []).toSorted((a, b) => b.span.start - a.span.start);
  return edits === null
    ? null
    : last.reduce((now, { span, text }) => now.slice(0, span.start) + text + now.slice(span.end), text);
}

const remove = (...path: string[]): Rewrite => ({ path, entries: {} });

test("other keys stand where the old one stood, in the style of their section", () => {
  const scales: Rewrite = { path: ["v", "old"], entries: { a: 4, b: "x: y" } };
  assert.is(rewritten("v:\n  old: 4 # why\n  c: 1\n", scales), 'v:\n  a: 4\n  b: "x: y" # why\n  c: 1\n');
  assert.is(rewritten("v: {old: 4, c: 1}\n", scales), 'v: {a: 4, b: "x: y", c: 1}\n');
  assert.is(rewritten("v: {c: 1, old: }\n", scales), 'v: {c: 1, a: 4, b: "x: y"}\n');
});

test("a list of mappings is written in lines", () => {
  const samples: Rewrite = {
    path: ["v", "old"],
    entries: { samples: [{ prompt: "a", conditions: [] }, { prompt: "b" }] },
  };
  const block = 'v:\n  samples:\n    - prompt: "a"\n      conditions: []\n    - prompt: "b"\n\nw: 1\n';
  assert.is(rewritten("v:\n  old:\n    - a\n    - b\n\nw: 1\n", samples), block);
  assert.is(rewritten("v:\n  old: [a, b]\n\nw: 1\n", samples), block);
});

test("a removed key takes its line or its comma along", () => {
  assert.is(rewritten("v:\n  a: 1\n  old: 1 # gone, too\n  b: 2\n", remove("v", "old")), "v:\n  a: 1\n  b: 2\n");
  assert.is(rewritten("v:\n  a: 1\n  old: 1", remove("v", "old")), "v:\n  a: 1\n");
  assert.is(rewritten("v:\n  old:\n  - 1\n  - 2\n  b: 2\n", remove("v", "old")), "v:\n  b: 2\n");
  assert.is(rewritten("v: {old: 1, b: 2}\n", remove("v", "old")), "v: {b: 2}\n");
  assert.is(rewritten("v: {a: 1, old: [1, 2]}\n", remove("v", "old")), "v: {a: 1}\n");
});

test("nothing is rewritten where comments, a whole section or another key would be lost", () => {
  assert.is(rewritten("v:\n  a: 1\n  old:\n    # why\n    - 1\n", remove("v", "old")), null);
  assert.is(rewritten("v:\n  old: 1\n", remove("v", "old")), null);
  assert.is(rewritten("- old: 1\n  b: 2\n", { path: [0, "old"], entries: {} }), null);
  assert.is(rewritten("v: {a: 1, b: 2}\n", remove("v", "a"), remove("v", "not there")), null);
});

test("keys that are not there are added to their section, if that is asked for", () => {
  const or = (key: string, value: number): Rewrite => ({ path: ["v", key], entries: { [key]: value }, orAdd: true });
  for (const [before, after] of [
    ["v:\n  a: 1 # small\n  b: 2\n", "v:\n  a: 8 # small\n  b: 16\n"],
    ["v:\n  # more\n  c: 1\nw: 1\n", "v:\n  # more\n  a: 8\n  b: 16\n  c: 1\nw: 1\n"],
    ["v:\n    b: 2\n", "v:\n    a: 8\n    b: 16\n"],
    ["v:\n    a: 2\n", "v:\n    b: 16\n    a: 8\n"],
    ["v: {b: 2}\n", "v: {a: 8, b: 16}\n"],
    ["v: {c: 0}\n", "v: {a: 8, b: 16, c: 0}\n"],
    ["v: {}\n", "v: {a: 8, b: 16}\n"],
  ] as const)
    assert.is(rewritten(before, or("a", 8), or("b", 16)), after);
  for (const text of ["w: 1\n", "v:\n", "v: [1]\n", "v: 3\n"]) assert.is(rewritten(text, or("a", 8)), null, text);
});

test.run();
