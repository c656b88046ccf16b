import { chmod, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("fmt");
const untidy = "strategy:   a  # name\nlet:\n    b: 1+2\n";
const tidy = "strategy: a  # name\nlet:\n  b: 1 + 2\n";

test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-fmt-"));
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));

const read = (cwd: string, name: string) => readFile(join(cwd, name), "utf8");

test("formats the strategies of the folder and leaves nothing behind", async ({ cwd }) => {
  await writeFile(join(cwd, "a.strategy"), untidy);
  await writeFile(join(cwd, "b.strategy"), tidy);
  const { code, out, err } = await ltxc(["fmt"], { cwd });
  assert.equal([code, out, err], [0, "formatted a.strategy\n", ""]);
  assert.is(await read(cwd, "a.strategy"), tidy);
  assert.equal(await readdir(cwd), ["a.strategy", "b.strategy"]);
  assert.is((await ltxc(["fmt"], { cwd })).out, "nothing to format\n");
});

test("--check names what is not formatted and writes nothing", async ({ cwd }) => {
  await writeFile(join(cwd, "a.strategy"), untidy);
  const { code, out } = await ltxc(["fmt", "--check"], { cwd });
  assert.equal([code, out], [1, "a.strategy is not formatted\n"]);
  assert.is(await read(cwd, "a.strategy"), untidy);
  await writeFile(join(cwd, "a.strategy"), tidy);
  assert.is((await ltxc(["fmt", "--check"], { cwd })).code, 0);
});

test("a file with syntax errors stays as it is and does not keep the others from being formatted", async ({ cwd }) => {
  const broken = "strategy:   a\nlet:\n    b: 1 +\n";
  await writeFile(join(cwd, "a.strategy"), broken);
  await writeFile(join(cwd, "b.strategy"), untidy);
  const { code, err } = await ltxc(["fmt", "a.strategy", "b.strategy"], { cwd });
  assert.is(code, 1);
  assert.match(err, "--> a.strategy:3:11");
  assert.is(await read(cwd, "a.strategy"), broken);
  assert.is(await read(cwd, "b.strategy"), tidy);
});

test("`-` formats stdin to stdout, under the name that is given", async ({ cwd }) => {
  assert.equal(await ltxc(["fmt", "-"], { cwd, input: untidy }), { code: 0, out: tidy, err: "" });
  assert.equal(await ltxc(["fmt", "-", "--check"], { cwd, input: untidy }), { code: 1, out: "", err: "" });
  const broken = await ltxc(["fmt", "-", "--stdin-filepath", "x.strategy"], { cwd, input: "video: [" });
  assert.is(broken.code, 1);
  assert.is(broken.out, "");
  assert.match(broken.err, "--> x.strategy:1:");
  assert.is((await ltxc(["fmt", "-", "a.strategy"], { cwd })).code, 2);
});

test("a link stays a link, and a folder that may not be written is a usage error", async ({ cwd }) => {
  await writeFile(join(cwd, "real"), untidy);
  await symlink("real", join(cwd, "a.strategy"));
  assert.is((await ltxc(["fmt"], { cwd })).code, 0);
  assert.is(await read(cwd, "real"), tidy);
  if (process.getuid?.() === 0) return;
  await writeFile(join(cwd, "real"), untidy);
  await chmod(cwd, 0o500);
  const { code, err } = await ltxc(["fmt"], { cwd });
  await chmod(cwd, 0o700);
  assert.is(code, 2);
  assert.match(err, "no permission");
});

test("--json lists what was changed", async ({ cwd }) => {
  await writeFile(join(cwd, "a.strategy"), untidy);
  const result: { changed: string[]; diagnostics: unknown[] } = JSON.parse(
    (await ltxc(["fmt", "--json"], { cwd })).out,
  );
  assert.equal(result.changed, ["a.strategy"]);
  assert.equal(result.diagnostics, []);
});

test.run();
