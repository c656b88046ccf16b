// Which command runs code that comes with a project: the table "What runs when" of LANGUAGE.md. `runs-nothing.slow.test.ts` tries the rest.
import { appendFile, chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { canaryProject, countRun, ran, runs, type CanaryProject } from "../testing/canary.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite<CanaryProject>("what runs when");
const isRoot = process.geteuid?.() === 0;
const somebody = 54_321;
const build = (cwd: string) => join(cwd, "build/edge_loss.mjs");

test.before(async (context) => {
  Object.assign(context, await canaryProject());
});
test.after(async ({ cwd }) => {
  runs(cwd);
  await rm(cwd, { recursive: true });
});

test("nothing of it in check, compile, fmt, schema, explain and plan, nor of a changed bundle", async (context) => {
  // None of them looks into the build, which is also older than the canary.
  await appendFile(build(context.cwd), countRun(context.cwd));
  const silent = [
    ["check"],
    ["fmt", "--check"],
    ["schema"],
    ["explain", "LTX6512"],
    ["plan", "--emit", "graph"],
    ["compile"],
  ];
  for (const args of silent) assert.not(await ran(context, ...args), args.join(" "));
});

test("the library that a run config names is looked at, not loaded, in check and plan", async ({ cwd, env }) => {
  if (process.platform !== "linux") return console.log("skipped: a library of the project (torch is offered on Linux)");
  await mkdir(join(cwd, "torch/lib"), { recursive: true });
  await writeFile(join(cwd, "torch/version.py"), "__version__ = '2.13.0'\n");
  // Nothing that can be loaded: to try would be an error.
  await writeFile(join(cwd, "torch/lib/libtorch_cpu.so"), "");
  const set = ["--set", "runtime.engine=torch", "--set", "runtime.torch=./torch"];
  for (const command of ["check", "plan"]) {
    const { code, out, err } = await ltxc([command, "train.yaml", ...set], { cwd, env });
    assert.is(code, 0, `${command}: ${out}${err}`);
  }
  const { code, err } = await ltxc(["run", ...set], { cwd, env });
  assert.is(code, 1);
  assert.match(err, "error[LTX6220]");
});

test("check says what it leaves out", async ({ cwd, env }) => {
  assert.match(
    (await ltxc(["check"], { cwd, env })).out,
    /left out .*`edges` of \.\/edges\.ts; `ltxc plan --run-imports` runs them/,
  );
});

test("run refuses a changed bundle, and runs nothing of it", async (context) => {
  const { cwd, env } = context;
  await ran(context, "compile");
  const text = await readFile(build(cwd), "utf8");
  await writeFile(build(cwd), `${countRun(cwd)}${text}`);
  const { code, err } = await ltxc(["run"], { cwd, env });
  assert.is(code, 1);
  assert.match(err, "error[LTX6511]");
  assert.is(runs(cwd), 0);
});

test("a project of another user: what would run its code asks, once", async (context) => {
  if (!isRoot) return console.log("skipped: a project of another user (only root can give files away)");
  const { cwd, env } = context;
  await ran(context, "compile");
  await chown(join(cwd, "edges.ts"), somebody, somebody);
  try {
    assert.not(await ran(context, "compile"));
    for (const args of [["test"], ["inspect"], ["run"], ["plan", "--run-imports"]]) {
      const { code, err, out } = await ltxc(args, { cwd, env });
      assert.is(code, 1, args.join(" "));
      assert.match(err + out, "error[LTX6512]");
      assert.is(runs(cwd), 0, args.join(" "));
    }
    const asked = await ltxc(["inspect"], { cwd, env, answer: "y" });
    assert.match(asked.err, "Trust all that is in");
    assert.ok(runs(cwd) > 0);
    assert.ok(await ran(context, "inspect"));
  } finally {
    await chown(join(cwd, "edges.ts"), 0, 0);
  }
});

test.run();
