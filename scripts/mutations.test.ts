// What the page says of mistakes of meaning is true, as far as the compiler alone can tell; the slow test tries the rest.
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check } from "../compiler/index.ts";
import { meaningMistakes } from "./mistakes-of-meaning.ts";
import { meaningRow, toldByCompiler } from "./mutations.ts";

const test = suite("mistakes of meaning");
const page = readFileSync(new URL("../compiler/MUTATIONS.md", import.meta.url), "utf8");
const rowOf = (kind: string) => page.split("\n").find((line) => line.startsWith(`| ${kind} |`)) ?? "";

test("each has a row of its own, with what the compiler finds", () => {
  assert.is(new Set(meaningMistakes.map(({ kind }) => kind)).size, meaningMistakes.length);
  for (const mistake of meaningMistakes) {
    const told = toldByCompiler(mistake);
    if (told !== null) assert.is(rowOf(mistake.kind), meaningRow(mistake, told));
    else assert.match(rowOf(mistake.kind), /^\| [^|]+ \| (`test` \| LTX7\d{3} \||not told \| \S)/);
  }
});

test("each is well formed: nothing but its mistake is found", () => {
  for (const { kind, text } of meaningMistakes) {
    const codes = check({ path: "mistaken.strategy", text }).diagnostics.map(({ code }) => code);
    assert.not.ok(
      codes.some((code) => /^LTX[1-3]/.test(code)),
      `${kind}: ${codes.join(", ")}`,
    );
  }
});

test("the page tells of at least 60 %", () => {
  const told = meaningMistakes.filter(({ kind }) => /`(compile|test)`/.test(rowOf(kind)));
  assert.ok(told.length >= 0.6 * meaningMistakes.length, `${told.length} of ${meaningMistakes.length}`);
});

test.run();
