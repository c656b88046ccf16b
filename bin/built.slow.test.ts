// What the bundle in dist/ keeps from one process to the next: recordings and the machine's speed. `built.test.ts` runs its other commands.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { project } from "./testing/testing.ts";

const test = suite("what the built command line keeps");
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

test("a second run takes what the first one recorded, and trains alike", () => {
  const run = (output: string) => {
    const settings = ["optimization.steps=3", "runtime.engine=onnx", `output_dir=${output}`];
    const stdout = ltxc("run", "--json", ...settings.flatMap((setting) => ["--set", setting]));
    const events = stdout
      .trim()
      .split("\n")
      .map((line): { type: string; loss?: number; isKept?: boolean } => JSON.parse(line));
    const isKept = events.filter(({ type }) => type === "recorded").map((event) => event.isKept);
    return { isKept, losses: events.flatMap(({ loss }) => loss ?? []) };
  };
  const [first, second] = [run("first"), run("second")];
  assert.is(first.losses.length, 3);
  assert.equal(second.losses, first.losses);
  assert.ok(first.isKept.length > 0 && first.isKept.every((kept) => kept === false));
  assert.equal(
    second.isKept,
    first.isKept.map(() => true),
  );
  // Another build may record something else.
  const build = readFileSync(join(root, "dist/build-id.txt"), "utf8");
  assert.equal(readdirSync(join(cwd, "cache/ltxc/recordings")), [build]);
});

test.run();
