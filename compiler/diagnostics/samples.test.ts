// Every sample is checked like a user's file and its findings are compared with those on record; UPDATE=1 writes them anew.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check as checkSource, type Library } from "../index.ts";
import { catalog } from "./catalog/index.ts";
import { renderJson } from "./reporters/json.ts";
import type { FileReport } from "./reporters/report.ts";
import { renderTerminal } from "./reporters/terminal.ts";

const test = suite("samples");
const folder = fileURLToPath(new URL("samples/", import.meta.url));
const builtin = fileURLToPath(new URL("../builtin/", import.meta.url));
const update = process.env["UPDATE"] === "1";

/** Codes of strategies; those of run configs and data have their samples in the tests of the runtime. */
/** LTX505 are about imported files, which `imports.test.ts` and the tests of `ltxc test` and `ltxc run` have. */
const ofStrategies = catalog.filter(({ code }) => /^LTX[1-5]/.test(code) && !code.startsWith("LTX505"));

/** Extended strategies: built-in ones, those beside a sample, and the text itself as `./example.strategy`. */
function libraryOf(text: string, beside: string): Library {
  const names = readdirSync(builtin).map((name) => name.replace(/\.strategy$/, ""));
  const read = (reference: string) => {
    if (reference === "./example.strategy") return { path: "input.strategy", text };
    const path = names.includes(reference) ? `${builtin}${reference}.strategy` : join(beside, reference);
    return existsSync(path) ? { path: basename(path), text: readFileSync(path, "utf8") } : null;
  };
  return { root: null, names, read };
}

function check(text: string, beside = folder): FileReport {
  return checkSource({ path: "input.strategy", text }, { library: libraryOf(text, beside) });
}

const codesOf = (text: string) => check(text).diagnostics.map((diagnostic) => diagnostic.code);

function compare(path: string, actual: string): void {
  if (update) writeFileSync(path, actual);
  assert.fixture(actual, existsSync(path) ? readFileSync(path, "utf8") : "");
}

/** A code may have several samples: `unknown-key`, `unknown-key--nested`. */
const samples = readdirSync(folder);
const slugOf = (sample: string) => sample.replace(/--.*$/, "");

for (const sample of samples)
  test(sample, () => {
    const beside = `${folder}${sample}/`;
    const report = check(readFileSync(`${beside}input.strategy`, "utf8"), beside);
    compare(`${folder}${sample}/expected.txt`, renderTerminal([report]));
    compare(`${folder}${sample}/expected.json`, renderJson([report]));
    const slugs = report.diagnostics.map((diagnostic) => diagnostic.slug);
    assert.ok(slugs.includes(slugOf(sample)), `the sample has only ${slugs.join(", ")}`);
  });

test("every code has a sample, and every sample a code", () => {
  const slugs = new Set(ofStrategies.map((entry) => entry.slug));
  const sampled = new Set(samples.map(slugOf));
  assert.equal(
    [...slugs].filter((slug) => !sampled.has(slug)),
    [],
  );
  assert.equal(
    [...sampled].filter((slug) => !slugs.has(slug)),
    [],
  );
});

for (const { code, slug, bad, good } of ofStrategies)
  test(`${code} ${slug}: the bad example has it, the good one does not`, () => {
    assert.ok(codesOf(bad).includes(code), `the bad example has only ${codesOf(bad).join(", ")}`);
    assert.not.ok(codesOf(good).includes(code), "the good example has it, too");
  });

test.run();
