import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { emitModule } from "../compiler/4-emit/typescript/module.ts";
import { check } from "../compiler/index.ts";
import { fuzz } from "./fuzz.ts";
import { fileKinds, fuzzFiles } from "./fuzz-files.ts";
import { importedFunction, libraryOf, strategyWith } from "./fuzz-strategies.ts";

const test = suite("fuzz");
const root = fileURLToPath(new URL("../", import.meta.url));

test("mutated strategies never throw, and every finding lies inside its file", () => fuzz(100));

for (const kind of fileKinds) {
  test(`nothing but findings comes out of hostile inputs for ${kind}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), `fuzz-${kind}-`));
    await fuzzFiles(kind, folder, 300).finally(() => rmSync(folder, { recursive: true }));
  });
}

test("modules of grown strategies pass the project's type check", () => {
  const folder = mkdtempSync(join(tmpdir(), "grown-"));
  const options = { compiler: "0", contract: 0, sourceHash: "", paramsSchema: {} };
  const programs = fc.sample(strategyWith, { numRuns: 200, seed: 1 }).flatMap((grown) => {
    const { program, file } = check({ path: "grown.strategy", text: grown.text }, { library: libraryOf(grown) });
    return program === null ? [] : [{ program, file }];
  });
  try {
    assert.ok(programs.length > 30);
    writeFileSync(join(folder, "edges.ts"), importedFunction);
    for (const [i, { program, file }] of programs.entries()) {
      writeFileSync(join(folder, `${i}.ts`), emitModule(program, { ...options, source: file }).text);
    }
    const compilerOptions = { types: [], paths: { "ltxc/contract": [join(root, "runtime/contract.ts")] } };
    const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    assert.is(spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" }).stdout, "");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
