// Every example compiles, type-checks and trains as it stands, with the sample data and the tiny model of `ltxc init`.
import { spawnSync } from "node:child_process";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { exampleNames } from "./init/example.ts";
import { packageRoot } from "./shell/package-root.ts";
import { configure, ltxc, project } from "./testing/testing.ts";

const test = suite<{ modules: string }>("examples");
const folder = join(packageRoot, "examples");
const names = await exampleNames();

/** Generated modules of all examples, for one run of tsc. */
test.before(async (context) => {
  context.modules = await mkdtemp(join(tmpdir(), "examples-"));
});
test.after(({ modules }) => rm(modules, { recursive: true }));

test("there are those that the documentation promises", () => {
  assert.ok(names.length >= 30);
});

for (const name of names) {
  test(`${name} compiles, checks and trains`, async ({ modules }) => {
    const cwd = await project({}, name);
    await cp(join(folder, name), cwd, { recursive: true });
    await configure(cwd, { model_path: "models/tiny-ltx2.safetensors", steps: 3, num_dataloader_workers: 0 });
    const compiled = await ltxc(["compile"], { cwd });
    assert.is(compiled.code, 0, compiled.err);
    await keepModule(cwd, name, join(modules, name));
    assert.match(
      (await ltxc(["check"], { cwd })).out,
      new RegExp(`\\nno findings in ${name}\\.strategy, train\\.yaml\\n$`),
    );
    const { code, out, err } = await ltxc(["run"], { cwd });
    assert.is(code, 0, err);
    assert.match(out, "lora_weights_step_00003.safetensors");
    await rm(cwd, { recursive: true });
  });

  test(`${name} is short, and its README says what it does, its formula and its source`, async () => {
    const strategy = await readFile(join(folder, name, `${name}.strategy`), "utf8");
    assert.ok(strategy.trimEnd().split("\n").length <= 40);
    const readme = await readFile(join(folder, name, "README.md"), "utf8");
    assert.ok(readme.split("\n").length < 60);
    assert.match(readme, /^# \S/);
    assert.match(readme, /```\n[^`]*=[^`]*```/);
    assert.match(readme, /^(Source|Sources): \S/m);
  });
}

/** The module next to what it imports, as in the project. */
async function keepModule(cwd: string, name: string, to: string): Promise<void> {
  await mkdir(join(to, "build"), { recursive: true });
  await copyFile(join(cwd, "build", `${name}.ts`), join(to, "build", `${name}.ts`));
  for (const path of await readdir(cwd)) if (path.endsWith(".ts")) await copyFile(join(cwd, path), join(to, path));
}

test("their modules pass `tsc --strict`", async ({ modules }) => {
  const compilerOptions = { types: [], paths: { "ltxc/contract": [join(packageRoot, "runtime/contract.ts")] } };
  const config = { extends: join(packageRoot, "tsconfig.json"), compilerOptions, include: ["**/*.ts"] };
  await writeFile(join(modules, "tsconfig.json"), JSON.stringify(config));
  await writeFile(join(modules, "package.json"), JSON.stringify({ type: "module" }));
  assert.is((await readdir(modules)).length, names.length + 2);
  const tsc = join(packageRoot, "node_modules/typescript/bin/tsc");
  const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", modules], { encoding: "utf8" });
  assert.is(stdout, "");
  assert.is(status, 0);
});

for (const name of ["inpainting", "text_to_video", "text_to_video_with_audio"]) {
  test(`${name} is the built-in strategy`, async () => {
    const withoutModeline = (text: string) => text.replace(/^# yaml-language-server:.*\n/, "");
    const example = await readFile(join(folder, name, `${name}.strategy`), "utf8");
    const builtin = await readFile(join(packageRoot, `compiler/builtin/${name}.strategy`), "utf8");
    assert.is(withoutModeline(example), withoutModeline(builtin));
  });
}

test.run();
