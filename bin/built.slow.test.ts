// What the bundle in dist/ keeps from one process to the next: recordings and the machine's speed. `built.test.ts` runs its other commands.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc as fromSources, project } from "./testing/testing.ts";

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

interface Event {
  readonly type: string;
  readonly loss?: number;
  readonly isKept?: boolean;
  readonly operations?: number;
  readonly expected?: { readonly residentBytes: number; readonly secondsPerStep: number | null };
}

const runTo = (output: string): readonly string[] => {
  const settings = ["optimization.steps=3", "runtime.engine=onnx", `output_dir=${output}`];
  return ["run", "--json", ...settings.flatMap((setting) => ["--set", setting])];
};

function read(stdout: string) {
  const events = stdout
    .trim()
    .split("\n")
    .map((line): Event => JSON.parse(line));
  const recorded = events.filter(({ type }) => type === "recorded");
  return {
    expected: events.find(({ type }) => type === "started")?.expected,
    recorded,
    isKept: recorded.map((event) => event.isKept),
    losses: events.flatMap(({ loss }) => loss ?? []),
  };
}

test("a run takes what its plan has recorded, the next one all of it, and both train as one that records itself", async () => {
  const [first, second] = [read(ltxc(...runTo("first"))), read(ltxc(...runTo("second")))];
  // What runs from its sources saves no recordings.
  const own = read((await fromSources(runTo("own"), { cwd })).out);
  assert.ok(own.isKept.length > 0 && own.isKept.every((kept) => kept === false));
  const operations = (kept: boolean) =>
    first.recorded.reduce((sum, event) => sum + (event.isKept === kept ? (event.operations ?? 0) : 0), 0);
  assert.ok(operations(true) > 1000 && operations(false) < 10, `${operations(true)} and ${operations(false)}`);
  assert.equal(
    second.isKept,
    first.isKept.map(() => true),
  );
  assert.is(own.losses.length, 3);
  assert.equal([first.losses, second.losses], [own.losses, own.losses]);
  // They say what a plan says, and no other speed than the measured one.
  const { residentBytes, secondsPerStep } = JSON.parse(ltxc("plan", "--json", "--set", "runtime.engine=onnx"));
  assert.equal([second.expected?.residentBytes, second.expected?.secondsPerStep], [residentBytes, secondsPerStep]);
  assert.equal([own.expected?.residentBytes, own.expected?.secondsPerStep], [residentBytes, null]);
  // Another build may record something else.
  const build = readFileSync(join(root, "dist/build-id.txt"), "utf8");
  assert.equal(readdirSync(join(cwd, "cache/ltxc/recordings")), [build]);
});

test.run();
