import { spawnSync } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("load tfjs");
const engines = JSON.stringify(new URL("./index.ts", import.meta.url).href);

test("an exception after wasm was loaded prints a stack, not the source of the package", () => {
  const script = `
    const { openEngine } = await import(${engines});
    await openEngine("wasm");
    throw new Error("from outside");
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", script];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.is(status, 1);
  assert.match(stderr, /Error: from outside/);
  assert.ok(stderr.length < 2000, `${stderr.length} characters`);
});

test.run();
