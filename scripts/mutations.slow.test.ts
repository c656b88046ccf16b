// The published figures on what finds which mistake are those of this version, as far as the compiler is concerned.
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { exampleNames } from "../bin/init/example.ts";
import { openEngine } from "../runtime/engine/index.ts";
import { meaningMistakes } from "./mistakes-of-meaning.ts";
import { isCompileTime, meaningRow, mutantsOf, toldOf } from "./mutations.ts";

const test = suite("mutations");
const page = readFileSync(new URL("../compiler/MUTATIONS.md", import.meta.url), "utf8");

/** Mistakes, and how many of them the compiler finds. */
function published(example: string): readonly number[] {
  const row = page.split("\n").find((line) => line.startsWith(`| ${example} |`)) ?? "";
  return row.split("|").slice(2, 4).map(Number);
}

test("every example is on the page, with at least 20 mistakes", async () => {
  for (const name of await exampleNames()) assert.ok((published(name)[0] ?? 0) >= 20, name);
});

for (const name of ["image_to_video", "masked_reference", "temporal_difference"]) {
  test(`the figures of ${name} are up to date`, () => {
    const mutants = mutantsOf(name);
    assert.equal(published(name), [mutants.length, mutants.filter(isCompileTime).length]);
  });
}

test("the page says what tells of each mistake of meaning", async () => {
  const { engine } = await openEngine("cpu");
  for (const mistake of meaningMistakes)
    assert.ok(page.includes(`${meaningRow(mistake, await toldOf(mistake, engine))}\n`), mistake.kind);
});

test.run();
