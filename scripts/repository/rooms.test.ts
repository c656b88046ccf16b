// The order of the rooms: who may import whom, types included. A room is a folder or a single file directly below `runtime` or `bin`,
// and a phase of the compiler. It may import rooms of earlier rows, never one of its own row or of a later one.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { imports, isTest, sources, type Import } from "./sources.ts";

const test = suite("order of rooms");

const orders: Readonly<Record<string, readonly (readonly string[])[]>> = {
  compiler: [
    ["source"],
    ["diagnostics"],
    ["1-parse"],
    ["2-check"],
    ["3-lower", "format"],
    ["4-emit", "service"],
    ["index"],
  ],
  runtime: [
    ["strategy-info"],
    ["contract"],
    [
      "findings",
      "references",
      "block-ranges",
      "call-site",
      "escape",
      "free-memory",
      "lru",
      "nearest-word",
      "param-rules",
      "process-exists",
      "protobuf",
      "some",
    ],
    ["random", "files"],
    ["metrics", "data", "graph"],
    ["engine"],
    ["config", "model"],
    ["optimizer", "lora-files", "media"],
    ["networks"],
    ["training"],
    ["checkpoints", "sampling"],
    ["run-folder"],
    ["opening", "verify"],
    ["forecast", "train"],
    ["index"],
    ["testing"],
  ],
  bin: [
    ["shell", "official"],
    ["trust"],
    ["project"],
    ["run-view"],
    ["run-report", "plan", "probe"],
    ["init", "inspect", "lsp", "trial", "official-trainer"],
    ["parity"],
    ["commands"],
    ["command-line"],
    ["program"],
    ["main"],
    ["ltxc", "testing"],
  ],
};

/** Strategies and a number: these import nothing. */
const unordered = new Set(["compiler/builtin", "compiler/version"]);

const roomOf = (path: string): string => path.split("/").slice(0, 2).join("/").replace(/\.ts$/, "");

function rankOf(room: string): number {
  const [house = "", name = ""] = room.split("/");
  return orders[house]?.findIndex((row) => row.includes(name)) ?? -1;
}

const houseOf = (path: string): string => path.split("/")[0] ?? "";
const isOrdered = (file: string): boolean => houseOf(file) in orders && !isTest(file) && !unordered.has(roomOf(file));

function isUpward({ file, target }: Import): boolean {
  const [from, to] = [roomOf(file), roomOf(target)];
  return houseOf(file) === houseOf(target) && from !== to && !unordered.has(to) && rankOf(to) >= rankOf(from);
}

const shown = (found: readonly Import[]): string[] => found.map(({ file, target }) => `${file} -> ${target}`);

test("every folder has its place in the order", () => {
  const rooms = new Set(sources.filter(isOrdered).map(roomOf));
  assert.ok(rooms.size > 30, `only ${rooms.size} rooms found`);
  assert.equal(
    [...rooms].filter((room) => rankOf(room) < 0),
    [],
  );
});

test("no room imports one that is not before it", () => {
  assert.equal(shown(imports.filter((entry) => isOrdered(entry.file) && isUpward(entry))), []);
});

test("what the order forbids is found", () => {
  const entry = (file: string, target: string): Import => ({ file, target, names: [], typeOnly: true });
  assert.ok(isUpward(entry("runtime/model/lora.ts", "runtime/forecast/step-plan.ts")));
  assert.ok(isUpward(entry("runtime/data/batch.ts", "runtime/graph/graph.ts")));
  assert.ok(isUpward(entry("bin/shell/io.ts", "bin/commands/run.ts")));
  assert.not(isUpward(entry("runtime/forecast/step-plan.ts", "runtime/model/lora.ts")));
  assert.not(isUpward(entry("runtime/model/lora.ts", "runtime/model/block.ts")));
});

test("what serves tests alone is imported by tests alone", () => {
  const forTests = ({ file, target }: Import) =>
    /^(runtime|bin)\/testing\//.test(target) && !target.startsWith(roomOf(file));
  const mayUse = (file: string) => isTest(file) || /^(bench|conformance|scripts)\//.test(file);
  assert.equal(shown(imports.filter((entry) => forTests(entry) && !mayUse(entry.file))), []);
});

/** The files that both use and that import nothing. */
const shared = ["runtime/escape.ts", "runtime/nearest-word.ts", "runtime/param-rules.ts"];

test("the compiler knows only the contract of the runtime, the runtime nothing of the compiler, and neither the command line", () => {
  const forbidden = ({ file, target, typeOnly }: Import) =>
    (file.startsWith("compiler/") &&
      target.startsWith("runtime/") &&
      !shared.includes(target) &&
      !(typeOnly && target === "runtime/contract.ts")) ||
    (file.startsWith("runtime/") && target.startsWith("compiler/")) ||
    (/^(compiler|runtime)\//.test(file) && target.startsWith("bin/"));
  assert.equal(shown(imports.filter((entry) => !isTest(entry.file) && forbidden(entry))), []);
  assert.equal(shown(imports.filter(({ file }) => shared.includes(file))), []);
});

/** What the command line may know of the runtime: `runtime/index.ts`, and the parts of it that do not load the engines. */
const runtimeFaces = [
  "contract",
  "index",
  "findings",
  "config/index",
  "files/index",
  "lora-files/index",
  "verify/index",
].map((name) => `runtime/${name}.ts`);

/** What the command line may know of the compiler: the whole, and those of its rooms that commands need without the whole. */
const compilerFaces = [
  "index",
  "source/index",
  "diagnostics/index",
  "1-parse/index",
  "format/format",
  "format/upgrade",
  "service/index",
  "version",
].map((name) => `compiler/${name}.ts`);

const faces: readonly string[] = [...runtimeFaces, ...compilerFaces];

const isBehindFace = ({ file, target }: Import): boolean =>
  file.startsWith("bin/") &&
  !isTest(file) &&
  // What serves tests alone may know what they may know.
  !file.startsWith("bin/testing/") &&
  /^(compiler|runtime)\//.test(target) &&
  !faces.includes(target);

test("the command line knows the compiler and the runtime by their faces alone", () => {
  assert.equal(shown(imports.filter(isBehindFace)), []);
  const entry = { file: "bin/commands/run.ts", names: [], typeOnly: true };
  assert.ok(isBehindFace({ ...entry, target: "runtime/opening/plan.ts" }));
  assert.ok(isBehindFace({ ...entry, target: "compiler/2-check/check.ts" }));
  assert.not(isBehindFace({ ...entry, target: "runtime/index.ts" }));
});

test("no import cycles, of values or of types", () => {
  const graph = new Map<string, string[]>();
  for (const { file, target } of imports) graph.set(file, [...(graph.get(file) ?? []), target]);
  const cycles = [...graph.keys()].flatMap((file) => findCycle(graph, file)?.join(" -> ") ?? []);
  assert.equal(cycles, []);
  const circle = new Map([
    ["a", ["b"]],
    ["b", ["c"]],
    ["c", ["a"]],
  ]);
  assert.equal(findCycle(circle, "a"), ["a", "b", "c", "a"]);
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

test.run();
