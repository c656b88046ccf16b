import { readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { catalog, entryOf, lookUp, type CatalogEntry, type Code } from "./index.ts";

const test = suite("catalog");
const here = new URL("./", import.meta.url);

test("codes and slugs are unique and in order", () => {
  const codes = catalog.map((entry) => entry.code);
  assert.equal(new Set(codes).size, codes.length);
  assert.equal(new Set(catalog.map((entry) => entry.slug)).size, codes.length);
  for (const code of codes) assert.match(code, /^LTX[1-7]\d{3}$/);
  const families = codes.map((code) => code.slice(3, 4));
  assert.equal(families, families.toSorted());
});

test("every entry explains itself", () => {
  for (const { code, slug, title, explanation, bad, good } of catalog) {
    assert.match(slug, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, code);
    assert.ok(title.length > 5 && !title.endsWith("."), `${code}: title`);
    assert.ok(explanation.length > 20 && explanation.endsWith("."), `${code}: explanation`);
    assert.ok(bad !== "" && bad !== good, `${code}: examples`);
  }
});

test("every file of entries is part of the catalog", async () => {
  const files = readdirSync(here).filter((name) => /^\d.*\.ts$/.test(name));
  assert.ok(files.length > 1);
  for (const name of files) {
    const { entries } = (await import(new URL(name, here).href)) as { readonly entries: readonly CatalogEntry[] };
    assert.ok(entries.length > 0, name);
    for (const entry of entries) assert.ok(catalog.includes(entry), `${name}: ${entry.code} is not in the catalog`);
  }
});

test("an entry is found by its code or its slug, as a user writes them", () => {
  const found = ["LTX1003", "ltx1003", "1003", "duplicate-key", " Duplicate-Key "].map((name) => lookUp(name)?.code);
  assert.equal(
    found,
    Array.from({ length: 5 }, () => "LTX1003"),
  );
  assert.is(lookUp("nonsense"), null);
});

test("a code that is missing here is an error, of types where they reach", () => {
  // @ts-expect-error -- fails to compile once `Code` takes any text
  const missing: Code = "LTX1999";
  assert.throws(() => entryOf(missing), "missing in the catalog");
});

/** Every source and page of the repository, by its path. */
function texts(): ReadonlyMap<string, string> {
  const root = new URL("../../../", import.meta.url);
  const folders = ["bench", "bin", "compiler", "conformance", "examples", "runtime", "schemas", "scripts"];
  const paths = folders.flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
  );
  const read = ["README.md", ...paths].filter((path) => /\.(ts|mjs|md|json|strategy|yaml)$/.test(path));
  return new Map(read.map((path) => [path.replaceAll("\\", "/"), readFileSync(new URL(path, root), "utf8")]));
}

// The runtime's findings carry their code as text, since it may not import the compiler; comments and pages name codes, too.
test("whatever the repository calls by a code is in the catalog, and every code is reported somewhere", () => {
  const known = new Set<string>(catalog.map(({ code }) => code));
  const reported = new Set<string>();
  const missing: string[] = [];
  for (const [path, text] of texts()) {
    if (path.startsWith("compiler/diagnostics/catalog/")) continue;
    const codes = text.match(/\bLTX\d{4}\b/g) ?? [];
    missing.push(...codes.filter((code) => !known.has(code)).map((code) => `${path}: ${code}`));
    if (/^(bin|compiler|runtime)\/.*(?<!\.test)\.ts$/.test(path)) for (const code of codes) reported.add(code);
  }
  assert.equal(missing, []);
  assert.equal(
    [...known].filter((code) => !reported.has(code)),
    [],
  );
});

test.run();
