// The runner fails where uvu alone would pass.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("test runner");
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Exit code and reported counts of one file. */
function runFile(sample: string): Promise<{ code: number | null; counts: unknown }> {
  return new Promise((resolve) => {
    const args = ["--import", "tsx", path("test-file.ts"), path(`samples/${sample}.ts`)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
    let counts: unknown = null;
    child.on("message", (message) => (counts = message));
    child.on("close", (code) => resolve({ code, counts }));
  });
}

test("a passing file passes", async () => {
  assert.equal(await runFile("passing"), { code: 0, counts: { passed: 1, failed: 0 } });
});

test("a forgotten run, a stray only, a throwing hook and an empty suite fail", async () => {
  assert.equal(await runFile("forgotten-run"), { code: 1, counts: { passed: 0, failed: 1 } });
  assert.equal(await runFile("stray-only"), { code: 1, counts: { passed: 1, failed: 1 } });
  assert.equal(await runFile("throwing-hook"), { code: 1, counts: { passed: 0, failed: 1 } });
  assert.equal(await runFile("empty-suite"), { code: 1, counts: { passed: 0, failed: 1 } });
});

test("a test that ends the process reports nothing, which the runner counts as a failure", async () => {
  assert.equal(await runFile("early-exit"), { code: 0, counts: null });
});

test("a pattern without a match fails", () => {
  const { status, stdout } = spawnSync(process.execPath, [path("test.mjs"), "no/such/file"], { encoding: "utf8" });
  assert.is(status, 1);
  assert.match(stdout, /no test file matches no\/such\/file\n0 passed, 1 failed\n$/);
});

test("--help explains the options, and an unknown one is a mistake in the command", () => {
  const call = (...args: readonly string[]) =>
    spawnSync(process.execPath, [path("test.mjs"), ...args], { encoding: "utf8" });
  const help = call("--help");
  assert.is(help.status, 0);
  assert.match(help.stdout, "--changed=REV");
  const unknown = call("--chnaged");
  assert.is(unknown.status, 2);
  assert.match(unknown.stderr, "unknown option --chnaged");
  assert.is(call("--changed=no-such-revision").status, 2);
});

test("the slowest files come before the closing line", () => {
  const { stdout } = spawnSync(process.execPath, [path("test.mjs"), "runtime/lru.test.ts"], { encoding: "utf8" });
  assert.match(stdout, /\nslowest of 1 files:\n +\d+\.\d s {2}runtime\/lru\.test\.ts\n\d+ passed, 0 failed\n$/);
});

test.run();
