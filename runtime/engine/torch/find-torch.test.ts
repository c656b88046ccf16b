import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makeEmptyTorch, packageOf } from "../../testing/empty-torch.ts";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { findTorch, nothingFound } from "./find-torch.ts";

const test = suite("finding PyTorch");
const folder = temporaryFolders(test, "ltxc-find-torch");

/** An environment with a package that has the files which are looked at. */
async function environment(version: string, cuda: string | null = null): Promise<string> {
  const root = await folder();
  await makeEmptyTorch(root, version, cuda);
  return root;
}

/** A folder for PATH with a Python that answers so. */
async function pathWith(answer: string): Promise<string> {
  const bin = await folder();
  await writeFile(join(bin, "python3"), `#!/bin/sh\necho "${answer}"\n`);
  await chmod(join(bin, "python3"), 0o755);
  return bin;
}

const reasonOf = async (named: string | null, env: Record<string, string>) => {
  try {
    await findTorch(named, env);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("something was found");
};

test("a folder that is named is a package, what it lies in, an environment, or the Python of one", async () => {
  const root = await environment("2.13.0+cu130", "13.0");
  await mkdir(join(root, "bin"));
  await writeFile(join(root, "bin", "python"), "");
  const expected = { folder: packageOf(root), version: "2.13.0+cu130", cuda: "13.0" };
  for (const named of [root, packageOf(root), join(packageOf(root), ".."), join(root, "bin", "python")])
    assert.equal(await findTorch(named, {}), expected);
});

test("what is named is taken or refused, whatever else there is", async () => {
  const [good, empty] = [await environment("2.13.0"), await folder()];
  assert.match(await reasonOf(empty, { VIRTUAL_ENV: good }), `there is no PyTorch in ${empty}`);
  assert.is(await reasonOf(join(empty, "gone"), { VIRTUAL_ENV: good }), `there is no ${join(empty, "gone")}`);
});

test("a package that is named and belongs to another user is not loaded", async () => {
  if (process.geteuid?.() !== 0)
    return console.log("skipped: a package of another user (only root can give files away)");
  const root = await environment("2.13.0");
  const somebody = 54_321;
  await chown(join(packageOf(root), "lib", "libtorch_cpu.so"), somebody, somebody);
  assert.match(await reasonOf(root, {}), `belongs to another user (uid ${somebody})`);
  assert.is((await findTorch(null, { VIRTUAL_ENV: root })).version, "2.13.0");
});

test("a folder named torch where a run is started is not taken for the package", async () => {
  const root = await environment("2.13.0");
  const { status } = spawnSync("python3", ["-c", ""]);
  if (status !== 0) return console.log("skipped: a folder of the project (there is no python3)");
  const before = process.cwd();
  process.chdir(join(packageOf(root), ".."));
  try {
    await writeFile("torch/__init__.py", "");
    const found = await findTorch(null, { PATH: process.env["PATH"] ?? "", HOME: root }).catch(() => null);
    assert.is.not(found?.folder, packageOf(root));
  } finally {
    process.chdir(before);
  }
});

test("versions before 2.10, from 3 on, and such as can not be read are refused with what was found", async () => {
  for (const version of ["1.13.1", "2.9.1+cpu", "3.0.0", ""])
    assert.match(await reasonOf(await environment(version), {}), `PyTorch ${version} in `);
  for (const version of ["2.10.0", "2.13.0a0+git1", "2.99.0"])
    assert.is((await findTorch(await environment(version), {})).version, version);
});

test("the active environment comes before Python on PATH, and that before our own; one too old is passed over", async () => {
  const [active, conda, old] = [await environment("2.13.0"), await environment("2.12.0"), await environment("2.1.0")];
  const asked = await environment("2.11.0");
  const PATH = await pathWith(join(packageOf(asked), "__init__.py"));
  const data = await folder();
  const own = join(data, "ltxc", "torch");
  await mkdir(join(packageOf(own), "lib"), { recursive: true });
  await writeFile(join(packageOf(own), "lib", "libtorch_cpu.so"), "");
  await writeFile(join(packageOf(own), "version.py"), "__version__ = '2.10.0'\n");
  const env = { VIRTUAL_ENV: active, CONDA_PREFIX: conda, PATH, XDG_DATA_HOME: data };
  const version = async (changes: Record<string, string>) => (await findTorch(null, { ...env, ...changes })).version;
  assert.is(await version({}), "2.13.0");
  assert.is(await version({ VIRTUAL_ENV: "" }), "2.12.0");
  assert.is(await version({ VIRTUAL_ENV: old }), "2.12.0");
  assert.is(await version({ VIRTUAL_ENV: "", CONDA_PREFIX: old }), "2.11.0");
  assert.is(await version({ VIRTUAL_ENV: "", CONDA_PREFIX: "", PATH: await folder() }), "2.10.0");
});

test("a Python that comes with a project is not asked, wherever `npx` puts it in PATH", async () => {
  const project = await folder();
  const bin = join(project, "node_modules", ".bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "python3"), `#!/bin/sh\ntouch "${join(project, "ran")}"\n`);
  await chmod(join(bin, "python3"), 0o755);
  const env = { PATH: bin, XDG_DATA_HOME: await folder() };
  assert.is(await reasonOf(null, env), nothingFound);
  assert.not.ok(existsSync(join(project, "ran")));
});

test("where there is none, it is said where it was looked for; where only old ones are, which", async () => {
  const none = { PATH: await folder(), XDG_DATA_HOME: await folder() };
  assert.is(await reasonOf(null, none), nothingFound);
  assert.match(await reasonOf(null, { ...none, VIRTUAL_ENV: await environment("2.1.0") }), "PyTorch 2.1.0 in ");
  // A Python that answers with nothing, or fails, has none.
  assert.is(await reasonOf(null, { ...none, PATH: await pathWith("") }), nothingFound);
});

test.run();
