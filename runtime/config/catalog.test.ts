import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { entries } from "../../compiler/diagnostics/catalog/60-config.ts";
import { resolveConfig, unknownStrategy } from "./index.ts";

const test = suite("catalog of the run config");

function codesOf(text: string): string[] {
  const raw = parse(text) as { training_strategy?: { name: string } };
  const name = raw.training_strategy?.name ?? "inpainting";
  const unknown = name === "inpainting" ? [] : [unknownStrategy(name, ["inpainting"])];
  return [...resolveConfig(raw, { configDirectory: "/" }).findings, ...unknown].map(({ code }) => code);
}

for (const { code, slug, bad, good } of entries)
  test(`${code} ${slug}: the bad example has it and nothing else, the good one has no finding`, () => {
    assert.equal(codesOf(bad), [code]);
    assert.equal(codesOf(good), []);
  });

test.run();
