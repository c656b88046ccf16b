// The machine's speed is measured once and kept; `bin/built.test.ts` runs the other commands of the bundle.
import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { project } from "./testing/testing.ts";

const test = suite("the machine's speed");
const root = fileURLToPath(new URL("..", import.meta.url));
const cwd = await project();
test.after(() => rm(cwd, { recursive: true }));

function ltxc(...args: readonly string[]): string {
  const env = { PATH: process.env["PATH"], XDG_CACHE_HOME: join(cwd, "cache") };
  return spawnSync(process.execPath, [join(root, "dist/ltxc.mjs"), ...args], { cwd, encoding: "utf8", env }).stdout;
}

test("doctor, plan and check say the same of the machine's speed", () => {
  interface Speed {
    readonly matmulGflops: number;
    readonly measuredAt: string;
  }
  const json = <T>(...args: string[]) => JSON.parse(ltxc(...args, "--json")) as T;
  const planned = () => json<{ speed: Speed }>("plan").speed;
  const first = planned();
  assert.equal(planned(), first);
  const { engines } = json<{ engines: { name: string; provider: string; speed: Speed | null }[] }>("doctor");
  const measured = engines.find(({ name, provider }) => name === "onnx" && provider === "cpu")?.speed;
  assert.ok(measured !== undefined && measured !== null && measured.measuredAt > first.measuredAt);
  assert.equal(planned(), measured);
  assert.equal(json<{ runs: { speed: Speed }[] }>("check").runs[0]?.speed, measured);
  const shown = `${measured.matmulGflops < 10 ? measured.matmulGflops.toPrecision(2) : measured.matmulGflops.toFixed(0)} GFLOP/s`;
  assert.match(ltxc("plan"), shown);
});

test.run();
