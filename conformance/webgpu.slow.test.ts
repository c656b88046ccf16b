import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { findSwiftShader } from "./swiftshader.ts";

const test = suite("WebGPU on SwiftShader");
const driver = findSwiftShader();
if (driver.environment === null) console.log(`skipped: no SwiftShader: ${driver.reason}`);

/** Runs a file in a process of its own, which finds the driver when it starts. Gives what it printed; throws where it fails. */
function run(file: string, args: readonly string[], environment: Readonly<Record<string, string>>): string {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", path, ...args], {
    encoding: "utf8",
    env: { ...process.env, UVU_DEFER: "0", ...environment },
  });
  assert.is(status, 0, `${stdout}\n${stderr}`);
  return stdout;
}

test("every operation and its gradient, with nothing left to the CPU", () => {
  if (driver.environment === null) return;
  const environment = { ...driver.environment, LTXC_TEST_PROVIDER: "webgpu" };
  assert.match(run("../runtime/engine/ops.test.ts", [], environment), /Passed: +[1-9]/);
});

test("every golden case, with nothing left to the CPU", () => {
  if (driver.environment === null) return;
  assert.match(run("run.ts", ["--provider", "webgpu"], driver.environment), /^[1-9]\d+ passed, 0 failed$/m);
});

test.run();
