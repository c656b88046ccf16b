// Which command runs code that comes with a project: the table "What runs when" of LANGUAGE.md.
import { appendFile, chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc, project } from "../testing/testing.ts";

const test = suite<{ cwd: string; env: Record<string, string> }>("what runs when");
const isRoot = process.geteuid?.() === 0;
const somebody = 54_321;

/** Name of the global variable in which code of the project counts how often it has run. */
const canary = (cwd: string) => `canary of ${cwd}`;
const globals = globalThis as unknown as Record<string, number | undefined>;

/** How often code of the project has run since this was last asked. */
function runs(cwd: string): number {
  const count = globals[canary(cwd)] ?? 0;
  delete globals[canary(cwd)];
  return count;
}

const countRun = (cwd: string, any: string) => {
  const name = JSON.stringify(canary(cwd));
  return `(globalThis${any})[${name}] = ((globalThis${any})[${name}] ?? 0) + 1;\n`;
};

test.before(async (context) => {
  context.cwd = await project({ steps: 1, interval: 1 }, "edge_loss");
  context.env = { XDG_CONFIG_HOME: join(context.cwd, "config") };
  const path = join(context.cwd, "edges.ts");
  await writeFile(path, countRun(context.cwd, " as any") + (await readFile(path, "utf8")));
});
test.after(async ({ cwd }) => {
  runs(cwd);
  await rm(cwd, { recursive: true });
});

const build = (cwd: string) => join(cwd, "build/edge_loss.mjs");

/** Runs a command that succeeds, and tells whether code of the project ran. */
async function ran(cwd: string, env: Record<string, string>, ...args: readonly string[]): Promise<boolean> {
  const { code, out, err } = await ltxc(args, { cwd, env });
  assert.is(code, 0, `${args.join(" ")}\n${out}${err}`);
  return runs(cwd) > 0;
}

const silent = [
  ["check"],
  ["check", "--types"],
  ["compile"],
  ["compile", "--types"],
  ["compile", "--emit", "ir"],
  ["fmt", "--check"],
  ["schema"],
  ["explain", "LTX6512"],
  ["plan"],
  ["plan", "--emit", "graph"],
] as const;

test("nothing of it in check, compile, fmt, schema, explain and plan, nor of a changed bundle", async ({
  cwd,
  env,
}) => {
  // The build of `project()` is changed, too: it is older than the canary, and none of these looks into it before it is made anew.
  await appendFile(build(cwd), countRun(cwd, ""));
  for (const args of silent) assert.not(await ran(cwd, env, ...args), args.join(" "));
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
  await ran(cwd, env, "compile");
  for (const args of [["test"], ["inspect"], ["run"]]) assert.ok(await ran(cwd, env, ...args), args.join(" "));
});

test("run refuses a changed bundle, and runs nothing of it", async ({ cwd, env }) => {
  await ran(cwd, env, "compile");
  const text = await readFile(build(cwd), "utf8");
  await writeFile(build(cwd), `${countRun(cwd, "")}${text}`);
  const { code, err } = await ltxc(["run"], { cwd, env });
  assert.is(code, 1);
  assert.match(err, "error[LTX6511]");
  assert.is(runs(cwd), 0);
  assert.not(await ran(cwd, env, "plan"));
});

test("a bundle alone: check and plan do not look into it, run asks", async ({ cwd, env }) => {
  const alone = join(cwd, "alone");
  await mkdir(join(alone, "build"), { recursive: true });
  await ran(cwd, env, "compile");
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

test("a project of another user: only what would run its code asks", async ({ cwd, env }) => {
  if (!isRoot) return console.log("skipped: a project of another user (only root can give files away)");
  await ran(cwd, env, "compile");
  await chown(join(cwd, "edges.ts"), somebody, somebody);
  try {
    for (const args of [["check"], ["compile"], ["plan"]]) assert.not(await ran(cwd, env, ...args), args.join(" "));
    for (const args of [["test"], ["inspect"], ["run"], ["plan", "--run-imports"]]) {
      const { code, err, out } = await ltxc(args, { cwd, env });
      assert.is(code, 1, args.join(" "));
      assert.match(err + out, "error[LTX6512]");
      assert.is(runs(cwd), 0, args.join(" "));
    }
    assert.ok(await ran(cwd, { ...env, LTXC_TRUST: cwd }, "test"));
    const asked = await ltxc(["test"], { cwd, env, answer: "y" });
    assert.match(asked.err, "Trust all that is in");
    assert.ok(runs(cwd) > 0);
    assert.ok(await ran(cwd, env, "inspect"));
  } finally {
    await chown(join(cwd, "edges.ts"), 0, 0);
  }
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

test.run();
