// A test of the repository itself: who may import whom, no cycles, nothing left behind.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const root = fileURLToPath(new URL("..", import.meta.url));
const test = suite("repository");

interface Import {
  readonly file: string;
  /** A path from the root for our own files, else a package's name. */
  readonly target: string;
  readonly typeOnly: boolean;
}

function files(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "samples" || entry.name === "vectors" ? [] : files(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

const pattern =
  /^\s*(?:import|export)\s+(type\s)?[^"';]*?from\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(pattern)].map((match) => {
    const specifier = match[2] ?? match[3] ?? match[4] ?? "";
    const own = specifier.startsWith(".");
    const target = own ? normalize(join(dirname(file), specifier)) : specifier;
    return { file, target, typeOnly: match[1] !== undefined };
  });
}

const sources = ["bin", "compiler", "runtime", "conformance", "bench", "scripts"].flatMap(files);
const imports = sources.flatMap(importsOf);
const isTest = (file: string) => file.endsWith(".test.ts");

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
    offenders(({ target }) => isSource(target) && !known.has(target)),
    [],
  );
});

test("the compiler knows only the contract of the runtime, and the runtime nothing of the compiler", () => {
  const compiler = ({ file, target, typeOnly }: Import) =>
    file.startsWith("compiler/") && target.startsWith("runtime/") && !(typeOnly && target === "runtime/contract.ts");
  const runtime = ({ file, target }: Import) => file.startsWith("runtime/") && target.startsWith("compiler/");
  const bin = ({ file, target }: Import) => /^(compiler|runtime)\//.test(file) && target.startsWith("bin/");
  const withoutTests = imports.filter(({ file }) => !isTest(file));
  assert.equal(
    withoutTests
      .filter((entry) => compiler(entry) || runtime(entry) || bin(entry))
      .map((entry) => `${entry.file} -> ${entry.target}`),
    [],
  );
});

test("a compiler phase imports only its predecessors", () => {
  const order = ["source", "diagnostics", "1-parse", "2-check", "3-lower", "4-emit"];
  const rank = (path: string) => order.indexOf(path.split("/")[1] ?? "");
  const backwards = ({ file, target }: Import) =>
    !isTest(file) &&
    file.startsWith("compiler/") &&
    target.startsWith("compiler/") &&
    rank(file) >= 0 &&
    rank(target) > rank(file);
  assert.equal(offenders(backwards), []);
});

test("each heavy package has one importer", () => {
  const owners: Record<string, (file: string) => boolean> = {
    yaml: (file) => /^compiler\/1-parse\/yaml(-tokens)?\.ts$/.test(file),
    chevrotain: (file) => file.startsWith("compiler/1-parse/expression/"),
    esbuild: (file) => file === "compiler/4-emit/bundle.ts",
    ajv: (file) => file.startsWith("compiler/2-check/schema"),
    tensorflow: (file) => file.startsWith("runtime/engine/"),
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

test("no import cycles", () => {
  const graph = new Map<string, string[]>();
  for (const { file, target, typeOnly } of imports)
    if (!typeOnly) graph.set(file, [...(graph.get(file) ?? []), target]);
  assert.equal([...graph.keys()].map((file) => findCycle(graph, file)).find((cycle) => cycle !== null) ?? null, null);
});

/** The path from `start` back to itself, or null. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>, start: string): string[] | null {
  const seen = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] | null => {
    for (const next of graph.get(file) ?? []) {
      if (next === start) return [...path, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = walk(next, [...path, next]);
      if (found !== null) return found;
    }
    return null;
  };
  return walk(start, [start]);
}

test("no test keeps `.only` or `.skip`, and every suite runs", () => {
  const tests = sources.filter(isTest).map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));
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
  const self = "scripts/repository.test.ts";
  assert.equal(
    sources.filter((file) => file !== self && forbidden.test(readFileSync(join(root, file), "utf8"))),
    [],
  );
});

test.run();
