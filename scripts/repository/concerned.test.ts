import { existsSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { concernedBy, readAsText } from "./concerned.ts";
import { isTest, sources } from "./sources.ts";

const test = suite("tests that concern a change");

function concerns(changed: string, expected: readonly string[], others: readonly string[]): void {
  const found = concernedBy([changed]).files;
  assert.equal(
    expected.filter((file) => !found.includes(file)),
    [],
    changed,
  );
  assert.equal(
    others.filter((file) => found.includes(file)),
    [],
    changed,
  );
}

test("those that import it, directly or through others", () => {
  concerns(
    "runtime/random/philox.ts",
    ["runtime/random/philox.test.ts", "runtime/random/draws.test.ts", "runtime/train.test.ts"],
    ["runtime/files/atomic.test.ts", "compiler/1-parse/yaml.test.ts"],
  );
});

test("a test itself, and nothing else but the tests of the repository", () => {
  const found = concernedBy(["runtime/lru.test.ts"]).files;
  assert.equal(
    found.filter((file) => !file.startsWith("scripts/repository/")),
    ["runtime/lru.test.ts"],
  );
});

test("those that call a command whose code changed, and not those of other commands", () => {
  concerns("bin/commands/fmt.ts", ["bin/commands/fmt.test.ts"], ["bin/commands/schema.test.ts"]);
  const { files, throughCommands } = concernedBy(["runtime/forecast/step-plan.ts"]);
  assert.ok(files.includes("runtime/forecast/step-plan.test.ts"));
  assert.ok(!files.includes("bin/commands/plan.test.ts") && throughCommands.includes("bin/commands/plan.test.ts"));
});

test("those that read changed data", () => {
  concerns("compiler/LANGUAGE.md", ["compiler/language.test.ts"], ["compiler/growth.test.ts"]);
  concerns("examples/huber/huber.strategy", ["bin/examples.slow.test.ts"], ["runtime/lru.test.ts"]);
  concerns(
    "compiler/diagnostics/samples/unused/input.strategy",
    ["compiler/diagnostics/samples.test.ts"],
    ["runtime/lru.test.ts"],
  );
});

test("those that read a whole folder of data", () => {
  concerns("scripts/samples/passing.ts", ["scripts/test.test.ts"], ["scripts/lock-file.test.ts"]);
  concerns("compiler/builtin/no_such.strategy", ["compiler/language.test.ts"], ["runtime/lru.test.ts"]);
  concerns(
    "conformance/vectors/training/no-such.json",
    ["conformance/groups/training.test.ts", "runtime/checkpoints/lora-weights.test.ts"],
    ["runtime/lru.test.ts", "bin/commands/run-samples.test.ts"],
  );
});

test("those of a module that is started by its URL", () => {
  concerns("runtime/engine/onnx/worker.ts", ["runtime/engine/onnx/device.test.ts"], ["compiler/1-parse/yaml.test.ts"]);
  concerns("conformance/run.ts", ["conformance/run.test.ts"], ["runtime/lru.test.ts"]);
});

test("those of the build and of what is packed, for their scripts and settings", () => {
  const [built, packed] = ["bin/built.test.ts", "scripts/pack.slow.test.ts"];
  for (const name of ["setup", "build", "licenses"]) concerns(`scripts/${name}.mjs`, [built, packed], []);
  for (const name of ["pack", "pack-runtime"]) concerns(`scripts/${name}.mjs`, [packed], [built]);
  concerns("tsconfig.types.json", [packed], [built]);
  concerns("bin/ltxc.ts", [built], [packed]);
  concerns(".npmrc", ["scripts/lock-file.test.ts", packed], [built]);
});

test("those that read the contract's text, and not those that only import its types", () => {
  concerns(
    "runtime/contract.ts",
    ["compiler/4-emit/module.test.ts", "bin/project/type-check.test.ts", "scripts/pack.slow.test.ts"],
    ["runtime/data/batch.test.ts"],
  );
});

test("those that import a module that was deleted", () => {
  concerns("runtime/no-such/lru.ts", ["runtime/lru.test.ts"], ["runtime/files/atomic.test.ts"]);
});

test("none for a name without an extension, which is a common word", () => {
  const found = concernedBy([".ci/run"]).files;
  assert.equal(
    found.filter((file) => !file.startsWith("scripts/repository/")),
    [],
  );
});

test("the table of readers names files that exist", () => {
  const paths = Object.entries(readAsText).flat(2);
  assert.equal(
    paths.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url))),
    [],
  );
});

test("all where everything depends on it, none where nothing changed", () => {
  assert.equal(concernedBy(["package-lock.json"]).files, sources.filter(isTest));
  assert.equal(concernedBy([]), { files: [], throughCommands: [] });
});

test.run();
