// The module of every built-in strategy and example, as it is on record; UPDATE=1 writes them anew, and the difference is reviewed.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compile, type Library } from "../index.ts";

const test = suite("modules on record");
const root = fileURLToPath(new URL("../../", import.meta.url));
const builtin = join(root, "compiler/builtin");
const records = join(root, "compiler/4-emit/samples/modules");
const update = process.env["UPDATE"] === "1";

const isStrategy = (path: string): boolean => path.endsWith(".strategy");
const below = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(isStrategy)
    .map((path) => join(folder, path));

const builtins = below(builtin);
const strategies = [...builtins, ...below(join(root, "examples"))];

/** Built-in strategies by their names, others by a path from the strategy's folder. */
function libraryBeside(path: string): Library {
  const names = builtins.map((each) => basename(each, ".strategy"));
  const read = (reference: string) => {
    const found = names.includes(reference) ? join(builtin, `${reference}.strategy`) : join(dirname(path), reference);
    return existsSync(found) ? { path: reference, text: readFileSync(found, "utf8") } : null;
  };
  return { root: dirname(path), names, read };
}

/** An example may be named like a built-in strategy. */
const recordOf = (path: string): string => `${basename(dirname(path))}-${basename(path, ".strategy")}.txt`;

for (const path of strategies)
  test(recordOf(path), async () => {
    const source = { path: basename(path), text: readFileSync(path, "utf8") };
    const compiled = await compile(source, { library: libraryBeside(path) });
    assert.ok(compiled.program !== null, compiled.diagnostics.map(({ message }) => message).join("; "));
    // A new version of the compiler alone is no difference.
    const text = compiled.module.text.replace(/^  compiler: ".*",$/m, '  compiler: "…",');
    const record = join(records, recordOf(path));
    if (update) {
      mkdirSync(records, { recursive: true });
      writeFileSync(record, text);
    }
    assert.fixture(text, existsSync(record) ? readFileSync(record, "utf8") : "");
  });

test("every record is one of these strategies", () => {
  assert.ok(strategies.length > 30, `only ${strategies.length} strategies found`);
  assert.equal(readdirSync(records).toSorted(), strategies.map(recordOf).toSorted());
});

test.run();
