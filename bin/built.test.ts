// The bundle in dist/ as users run it: a process of its own, real signals, source maps.
import { spawn, spawnSync } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { project } from "./testing/testing.ts";

const test = suite<{ cwd: string }>("built command line");
const root = fileURLToPath(new URL("..", import.meta.url));
const bundle = join(root, "dist/ltxc.mjs");

const { XDG_CACHE_HOME: cacheBefore } = process.env;

test.before(async (context) => {
  const setup = spawnSync(process.execPath, [join(root, "scripts/setup.mjs")], { encoding: "utf8" });
  assert.is(setup.status, 0, setup.stderr);
  context.cwd = await project({ steps: 1000, interval: "null" });
  // Processes started here keep their recordings there.
  process.env["XDG_CACHE_HOME"] = join(context.cwd, "cache");
});
test.after(async ({ cwd }) => {
  if (cacheBefore === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = cacheBefore;
  await rm(cwd, { recursive: true });
});

function ltxc(cwd: string, ...args: readonly string[]) {
  const { PATH, XDG_CACHE_HOME } = process.env;
  return spawnSync(process.execPath, [bundle, ...args], { cwd, encoding: "utf8", env: { PATH, XDG_CACHE_HOME } });
}

test("starts, and finds what it ships", ({ cwd }) => {
  assert.match(ltxc(cwd, "--help").stdout, "Usage: ltxc");
  assert.match(ltxc(cwd, "check").stdout, /\nno findings in inpainting\.strategy, train\.yaml\n$/);
  assert.match(ltxc(cwd, "explain", "LTX6502").stdout, "changed after it was compiled");
});

test("--help loads no heavy package", async () => {
  const loaded = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const text = await readFile(join(root, "dist", file), "utf8");
    for (const [, next] of text.matchAll(/(?:from|^import)\s*"\.\/([^"]+)"/gm)) if (next) await visit(next);
  };
  await visit("ltxc.mjs");
  const texts = await Promise.all([...loaded].map((file) => readFile(join(root, "dist", file), "utf8")));
  assert.ok(texts.reduce((sum, text) => sum + text.length, 0) < 100_000);
  assert.not.match(texts.join(), /chevrotain|tensorflow|lodash/);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  test(`${signal} lets the step finish, saves and ends with 130`, async ({ cwd }) => {
    const child = spawn(process.execPath, [bundle, "run", "--set", `output_dir=${signal}`], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    child.stdout.on("data", (text: Buffer) => (out += text.toString()));
    child.stderr.once("data", () => child.kill(signal));
    const code = await new Promise((resolve) => child.on("close", resolve));
    assert.is(code, 130, out);
    const step = /stopped after step (\d+)/.exec(out)?.[1] ?? "";
    assert.ok(
      (await readdir(join(cwd, signal, "checkpoints"))).includes(
        `lora_weights_step_${step.padStart(5, "0")}.safetensors`,
      ),
    );
  });

test("an error inside a step points into the .strategy file", async ({ cwd }) => {
  const type = 'import type { Ops, Tensor } from "ltxc/contract";\n';
  await writeFile(
    join(cwd, "failing.ts"),
    `${type}export function failing(_: Ops, x: Tensor): Tensor { throw new Error(\`broken \${x.shape.length}\`); }\n`,
  );
  const own = await readFile(join(cwd, "inpainting.strategy"), "utf8");
  const text = own
    .replace("strategy: inpainting", "strategy: broken")
    .replace("keep: not inpaint", "keep: failing(tokens(masks)) > 0")
    .concat('\nimports:\n  failing: {from: ./failing.ts, type: "(x: tokens:video) -> f32[batch, token:video]"}\n');
  await writeFile(join(cwd, "broken.strategy"), text);
  assert.is(ltxc(cwd, "compile", "broken.strategy").status, 0, ltxc(cwd, "check", "broken.strategy").stdout);
  const set = ["--set", "output_dir=broken", "--set", "training_strategy.name=broken"];
  const { status, stderr } = ltxc(cwd, "run", ...set);
  assert.is(status, 1, stderr);
  const line = text.split("\n").findIndex((each) => each.includes("keep: failing(tokens(masks)) > 0")) + 1;
  assert.match(stderr, "LTX5051");
  assert.match(stderr, "the imported function `failing` failed: broken 3");
  assert.match(stderr, new RegExp(`broken\\.strategy:${line}, .*failing\\.ts:2:\\d+`));
});

test("a reader that stops early is no error", ({ cwd }) => {
  const piped = spawnSync("sh", ["-c", `"${process.execPath}" "${bundle}" explain | head -1`], {
    cwd,
    encoding: "utf8",
  });
  assert.is(piped.stderr, "");
  assert.match(piped.stdout, /^LTX\d{4} {2}.+\n$/);
});

test.run();
