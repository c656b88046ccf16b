import { suite } from "uvu";
import * as assert from "uvu/assert";
import { concernedBy } from "./concerned.ts";
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

test("all where everything depends on it, none where nothing changed", () => {
  assert.equal(concernedBy(["package-lock.json"]).files, sources.filter(isTest));
  assert.equal(concernedBy([]), { files: [], throughCommands: [] });
});

test.run();
