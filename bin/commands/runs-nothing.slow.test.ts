// Which command runs code that comes with a project: the table "What runs when" of LANGUAGE.md.
import { chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { canaryProject, ran, runs, type CanaryProject } from "../testing/canary.ts";
import { ltxc, project } from "../testing/testing.ts";

const test = suite<CanaryProject>("what runs when: all commands");
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

test("plan says what it leaves out, and runs it when asked", async ({ cwd, env }) => {
  const left = await ltxc(["plan"], { cwd, env });
  assert.match(
    left.out,
    /left out +what imported functions take: `edges` of \.\/edges\.ts; `ltxc plan --run-imports` runs them/,
  );
  assert.match((await ltxc(["check"], { cwd, env })).out, /left out .*`edges` of \.\/edges\.ts/);
  const flops = async (...more: string[]) => {
    const { plan, leftOut } = JSON.parse((await ltxc(["plan", "--json", ...more], { cwd, env })).out);
    return { nodes: plan.largest.cost.nodes as number, leftOut: leftOut as string[] };
  };
  const [without, whole] = [await flops(), await flops("--run-imports")];
  assert.equal(without.leftOut, ["`edges` of ./edges.ts"]);
  assert.equal(whole.leftOut, []);
  assert.ok(without.nodes < whole.nodes && without.nodes > 0.5 * whole.nodes, `${without.nodes} of ${whole.nodes}`);
  assert.ok(runs(cwd) > 0);
});

test("test, inspect and run do run it", async ({ cwd, env }) => {
  await ran({ cwd, env }, "compile");
  for (const args of [["test"], ["inspect"], ["run"]]) assert.ok(await ran({ cwd, env }, ...args), args.join(" "));
});

test("a bundle alone: check and plan do not look into it, run asks", async ({ cwd, env }) => {
  const alone = join(cwd, "alone");
  await mkdir(join(alone, "build"), { recursive: true });
  await ran({ cwd, env }, "compile");
  await writeFile(join(alone, "build/edge_loss.mjs"), await readFile(build(cwd)));
  const config = (await readFile(join(cwd, "train.yaml"), "utf8")).replace(/: (models|data|outputs)/g, ": ../$1");
  await writeFile(join(alone, "train.yaml"), config);
  for (const command of ["check", "plan", "run"]) {
    const { code, err, out } = await ltxc([command], { cwd: alone, env });
    assert.is(code, 1);
    assert.match(err + out, "error[LTX6513]");
    assert.is(runs(cwd), 0, command);
  }
  const trusted = await ltxc(["plan", "--run-imports"], {
    cwd: alone,
    env: { ...env, LTXC_TRUST: join(alone, "build/edge_loss.mjs") },
  });
  assert.is(trusted.code, 0, trusted.err);
  assert.ok(runs(cwd) > 0);
});

test("a strategy without imports never asks", async ({ env }) => {
  if (!isRoot) return console.log("skipped: a strategy of another user (only root can give files away)");
  const cwd = await project();
  try {
    for (const name of [".", "inpainting.strategy", "train.yaml", "build"])
      await chown(join(cwd, name), somebody, somebody);
    for (const args of [["test"], ["inspect"], ["plan"]])
      assert.is((await ltxc(args, { cwd, env })).code, 0, args.join(" "));
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test("nothing of it in plan, and with TypeScript", async (context) => {
  for (const args of [["plan"], ["check", "--types"], ["compile", "--types"], ["compile", "--emit", "ir"]])
    assert.not(await ran(context, ...args), args.join(" "));
});

test.run();
