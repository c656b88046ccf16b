import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseYaml, toPlain } from "../../compiler/1-parse/index.ts";
import { Bag } from "../../compiler/diagnostics/index.ts";
import { sourceFile } from "../../compiler/source/index.ts";
import { entries } from "../../compiler/diagnostics/catalog/60-config.ts";
import { resolveConfig, unknownStrategy } from "./index.ts";

const test = suite("catalog of the run config");

function codesOf(text: string): string[] {
  const bag = new Bag();
  const tree = parseYaml(sourceFile("train.yaml", text), bag, "1.1");
  const raw = (tree === null ? null : toPlain(tree)) as { training_strategy?: { name: string } };
  const name = raw.training_strategy?.name ?? "inpainting";
  const unknown = name === "inpainting" ? [] : [unknownStrategy(name, ["inpainting"])];
  const { findings } = resolveConfig(raw, { configDirectory: "/" });
  return [...bag.sorted(), ...findings, ...unknown].map(({ code }) => code);
}

for (const { code, slug, bad, good } of entries)
  test(`${code} ${slug}: the bad example has it and nothing else, the good one has no finding`, () => {
    assert.equal(codesOf(bad), [code]);
    assert.equal(codesOf(good), []);
  });

test.run();
