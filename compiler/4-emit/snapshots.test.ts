// The module of every built-in strategy and example, as it is on record; UPDATE=1 writes them anew, and the difference is reviewed.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compile, compilePython } from "../index.ts";
import { pythonStrategies, recordOf, refusedInPython, samples, sourceAt, strategies } from "./strategies-on-record.ts";

const test = suite("modules on record");
const update = process.env["UPDATE"] === "1";

function compareWithRecord(text: string, record: string): void {
  if (update) {
    mkdirSync(dirname(record), { recursive: true });
    writeFileSync(record, text);
  }
  assert.fixture(text, existsSync(record) ? readFileSync(record, "utf8") : "");
}

for (const path of strategies) {
  const name = recordOf(path);
  const { source, library } = sourceAt(path);

  test(`${name}.txt`, async () => {
    const compiled = await compile(source, { library });
    assert.ok(compiled.program !== null, compiled.diagnostics.map(({ message }) => message).join("; "));
    // A new version of the compiler alone is no difference.
    const text = compiled.module.text.replace(/^  compiler: ".*",$/m, '  compiler: "…",');
    compareWithRecord(text, join(samples, `modules/${name}.txt`));
  });

  const refusal = refusedInPython.get(basename(path, ".strategy"));
  if (refusal !== undefined) {
    test(`${name} is refused for Python`, () => {
      const { artifacts, diagnostics } = compilePython(source, { library });
      assert.equal(artifacts, []);
      assert.ok(diagnostics.some(({ code }) => code === refusal));
    });
    continue;
  }

  test(`${name}.py`, () => {
    const { artifacts, diagnostics } = compilePython(source, { library });
    const [module] = artifacts;
    assert.ok(module !== undefined, diagnostics.map(({ message }) => message).join("; "));
    const text = module.text.replace(/^Made by ltxc \S+/m, "Made by ltxc …").replace(/^( +"version": ).*$/m, '$1"…",');
    compareWithRecord(text.slice(0, text.indexOf("\n# ---")), join(samples, `python/${name}.py`));
  });
}

test("every record is one of these strategies", () => {
  assert.ok(strategies.length > 30, `only ${strategies.length} strategies found`);
  const recorded = (paths: readonly string[], end: string) => paths.map((path) => recordOf(path) + end).toSorted();
  assert.equal(readdirSync(join(samples, "modules")).toSorted(), recorded(strategies, ".txt"));
  assert.equal(readdirSync(join(samples, "python")).toSorted(), recorded(pythonStrategies, ".py"));
});

test.run();
