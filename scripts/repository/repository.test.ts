// A test of the repository itself: heavy packages, nothing forgotten, nothing left behind.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { VERSION } from "../../compiler/version.ts";
import { imports, isTest, root, sources, textOf, type Import } from "./sources.ts";

const test = suite("repository");

/** Imports that break a rule, as `file -> target`. */
function offenders(breaks: (entry: Import) => boolean): string[] {
  return imports.filter(breaks).map(({ file, target }) => `${file} -> ${target}`);
}

test("finds the imports that it judges", () => {
  assert.ok(imports.length > 100, `only ${imports.length} imports found`);
});

test("every relative import names a file that exists", () => {
  const known = new Set(sources);
  const isSource = (target: string) =>
    target.endsWith(".ts") && sources.some((file) => target.startsWith(file.split("/")[0] ?? ""));
  assert.equal(
    offenders(({ file, target }) => !isTest(file) && isSource(target) && !known.has(target)),
    [],
  );
});

test("each heavy package has one importer", () => {
  const owners: Record<string, (file: string) => boolean> = {
    yaml: (file) => /^compiler\/1-parse\/yaml(-bounds|-tokens|-report|-1-1)?\.ts$/.test(file),
    chevrotain: (file) => file.startsWith("compiler/1-parse/expression/"),
    // The rules for imports are a plugin of it, and name only its types.
    esbuild: (file) => /^compiler\/4-emit\/(bundle|import-rules)\.ts$/.test(file),
    ajv: (file) => file.startsWith("compiler/2-check/schema"),
    // Recording kernels are written for tfjs; what it hands them is described by its types.
    tensorflow: (file) => file.startsWith("runtime/engine/") || file.startsWith("runtime/graph/record/"),
    "onnxruntime-node": (file) => file.startsWith("runtime/engine/onnx/"),
  };
  const packageOf = (target: string) =>
    target.startsWith("@tensorflow/") ? "tensorflow" : (target.split("/")[0] ?? "");
  const foreign = ({ file, target }: Import) =>
    !isTest(file) &&
    !file.startsWith("scripts/") &&
    !file.startsWith("bench/") &&
    owners[packageOf(target)]?.(file) === false;
  assert.equal(offenders(foreign), []);
});

test("no test keeps `.only` or `.skip`, and every suite runs", () => {
  const tests = sources.filter(isTest).map((file) => ({ file, text: textOf(file) }));
  assert.equal(
    tests.filter(({ text }) => /^\s*\w+\.(only|skip)\(/m.test(text)).map(({ file }) => file),
    [],
  );
  const suites = (text: string, what: RegExp) => text.match(what)?.length ?? 0;
  const forgotten = tests.filter(
    ({ text }) => suites(text, /^const \w+ = suite(<[^>]*>)?\(/gm) !== suites(text, /^\w+\.run\(\)/gm),
  );
  assert.equal(
    forgotten.map(({ file }) => file),
    [],
  );
});

test("nothing names a machine or leaves work for later", () => {
  const forbidden = /\/work\/|\/tmp\/bash|registry\.npmjs|\bTODO\b|\bFIXME\b|\bXXX\b/;
  const self = "scripts/repository/repository.test.ts";
  assert.equal(
    sources.filter((file) => file !== self && forbidden.test(textOf(file))),
    [],
  );
});

test("paths that the pages name exist", () => {
  const pages = ["README.md", "CONTRIBUTING.md", "bin/README.md", "compiler/README.md", "runtime/README.md"];
  const named = (page: string) => [
    ...textOf(page).matchAll(/`((?:\.\.\/)?[\w-]+(?:\/[\w.-]+)*\/[\w.-]+\.(?:ts|mjs|json|md))`/g),
  ];
  const missing = pages.flatMap((page) =>
    named(page).flatMap(([, path = ""]) =>
      path.includes("NAME") ||
      ["", dirname(page), "runtime/engine", "runtime/model", "runtime/graph"].some((folder) =>
        existsSync(join(root, folder, path)),
      )
        ? []
        : `${page}: ${path}`,
    ),
  );
  assert.equal(missing, []);
});

test("the map of moves leads to files that exist", () => {
  const rows = [...textOf("CONTRIBUTING.md").matchAll(/^\| `[^|]*` \| `([\w/-]+\/)` \| (.+) \|$/gm)];
  assert.ok(rows.length > 30, `only ${rows.length} rows`);
  const names = (files: string) => files.split(", ").flatMap((file) => file.split(" → ").at(-1)?.split(" and ") ?? []);
  const missing = rows.flatMap(([, folder = "", files = ""]) =>
    names(files).flatMap((name) => {
      const path = join(root, folder, name);
      return existsSync(name.endsWith("/") ? path : `${path}.ts`) ? [] : `${folder}${name}`;
    }),
  );
  assert.equal(missing, []);
});

test("the compiler says the version of the package", () => {
  const { version }: { version: string } = JSON.parse(textOf("package.json"));
  assert.is(VERSION, version);
});

test.run();
