import { readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CatalogEntry } from "./entry.ts";
import { catalog, entryOf, lookUp } from "./index.ts";

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
  assert.throws(() => entryOf("LTX1999"), "missing in the catalog");
});

test.run();
