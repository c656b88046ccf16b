// Whose code may run: the list of what is trusted, the question, and the environment variable.
import { chmod, chown, lstat, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import { ltxc } from "../testing/testing.ts";
import { guardOf } from "./guard.ts";
import { trustListPath } from "./trust-list.ts";

interface Context {
  folder: string;
  /** Belongs to another user, where that can be made. */
  theirs: string;
  env: Record<string, string>;
}

const test = suite<Context>("trust");
const newFolder = temporaryFolders(test, "ltxc-trust");
const isRoot = process.geteuid?.() === 0;
const somebody = 54_321;

test.before.each(async (context) => {
  context.folder = await newFolder();
  context.theirs = join(context.folder, "theirs");
  context.env = { XDG_CONFIG_HOME: join(context.folder, "config") };
  await mkdir(context.theirs);
  for (const name of ["package.json", "a.strategy", "edges.ts"]) await writeFile(join(context.theirs, name), "{}");
  if (isRoot) await chown(context.theirs, somebody, somebody);
});

/** Only root can give files away. */
const asRoot = (name: string, run: Parameters<typeof test>[1]) =>
  isRoot ? test(name, run) : console.log(`skipped: ${name} (only root can give files to another user)`);

const imported = (theirs: string) => ({
  project: theirs,
  files: ["a.strategy", "edges.ts"].map((name) => join(theirs, name)),
});
const ask = (answer: string, asked: string[] = []) => ({
  ask: async (question: string) => {
    asked.push(question);
    return answer;
  },
});
const text = { json: false };

test("one's own files, and those of root, are never asked about", async ({ folder, env }) => {
  const asked: string[] = [];
  const guard = guardOf({ cwd: folder, env, ...ask("n", asked) }, text);
  await writeFile(join(folder, "edges.ts"), "");
  assert.is(await guard.imports({ project: folder, files: [join(folder, "edges.ts")] }), null);
  assert.equal(asked, []);
  assert.is(await stat(trustListPath(env)).catch(() => null), null);
});

asRoot("the files of another user are asked about once, and no is the default", async ({ theirs, env }) => {
  const asked: string[] = [];
  for (const answer of ["", "n", "no", "what?"]) {
    const refused = await guardOf({ cwd: theirs, env, ...ask(answer, asked) }, text).imports(imported(theirs));
    assert.is(refused?.code, "LTX6512");
    assert.match(refused?.message ?? "", `uid ${somebody}`);
    assert.match(refused?.help ?? "", `ltxc trust ${theirs}`);
    assert.match(refused?.help ?? "", `LTXC_TRUST=${theirs}`);
  }
  assert.match(asked[0] ?? "", `Trust all that is in ${theirs}, from now on? [y/N] `);
  const count = asked.length;
  for (const _ of [1, 2])
    assert.is(await guardOf({ cwd: theirs, env, ...ask("y", asked) }, text).imports(imported(theirs)), null);
  assert.is(asked.length, count + 1);
  // Without a terminal, too, from now on.
  assert.is(await guardOf({ cwd: theirs, env }, text).imports(imported(theirs)), null);
});

asRoot("with --json nothing is asked; LTXC_TRUST answers", async ({ folder, theirs, env }) => {
  const asked: string[] = [];
  assert.is(
    (await guardOf({ cwd: folder, env, ...ask("y", asked) }, { json: true }).imports(imported(theirs)))?.code,
    "LTX6512",
  );
  assert.equal(asked, []);
  const withTrust = (LTXC_TRUST: string) =>
    guardOf({ cwd: folder, env: { ...env, LTXC_TRUST } }, text).imports(imported(theirs));
  for (const named of ["*", theirs, folder, "theirs", `/nowhere${delimiter}${theirs}`])
    assert.is(await withTrust(named), null, named);
  for (const named of ["", "/nowhere", `${theirs}2`, join(theirs, "edges.ts")])
    assert.is((await withTrust(named))?.code, "LTX6512", named);
});

asRoot(
  "a single file of another user counts, and the folder that it lies in; the caller of sudo does not",
  async ({ folder, theirs, env }) => {
    await chown(theirs, 0, 0);
    const refused = () => guardOf({ cwd: theirs, env }, text).imports(imported(theirs));
    assert.is(await refused(), null);
    await chown(join(theirs, "edges.ts"), somebody, somebody);
    assert.match((await refused())?.message ?? "", join(theirs, "edges.ts"));
    const sudo = { ...env, SUDO_UID: String(somebody) };
    assert.is(await guardOf({ cwd: folder, env: sudo }, text).imports(imported(theirs)), null);
  },
);

test("`ltxc trust` keeps a list that only its user may write, lists it and takes back", async ({
  folder,
  theirs,
  env,
}) => {
  const call = (...args: string[]) => ltxc(["trust", ...args], { cwd: theirs, env });
  await mkdir(join(theirs, "below"));
  // The project's root, from a folder below it.
  assert.is((await ltxc(["trust"], { cwd: join(theirs, "below"), env })).out, `trusted: ${theirs}\n`);
  await call();
  assert.is((await call("--list")).out, `${theirs}\n`);
  assert.equal(JSON.parse((await call("--list", "--json")).out), { trusted: [{ path: theirs, sha256: null }] });
  if (process.platform !== "win32") assert.is((await stat(trustListPath(env))).mode & 0o777, 0o600);
  assert.match((await call("--remove", join(folder, "other"))).err, "is not in the list");
  assert.is((await call("--remove")).out, "no longer trusted: .\n");
  assert.is((await call("--list")).out, "");
  for (const wrong of [["nowhere"], ["edges.ts"], ["--list", "."]]) assert.is((await call(...wrong)).code, 2);
});

test("a build is trusted with its content, not by its place", async ({ folder, env }) => {
  const path = join(folder, "my.mjs");
  await writeFile(path, "1");
  const guard = guardOf({ cwd: folder, env }, text);
  assert.is((await guard.build(path, "1"))?.code, "LTX6513");
  assert.is((await ltxc(["trust", "my.mjs"], { cwd: folder, env })).code, 0);
  assert.is(await guard.build(path, "1"), null);
  const changed = await guard.build(path, "2");
  assert.is(changed?.code, "LTX6513");
  assert.match(changed?.message ?? "", "changed since you trusted it");
  // To trust a folder is not to trust every program in it.
  await ltxc(["trust", "."], { cwd: folder, env });
  assert.is((await guard.build(path, "2"))?.code, "LTX6513");
  assert.is(await guardOf({ cwd: folder, env, ...ask("yes") }, text).build(path, "2"), null);
  assert.is(await guard.build(path, "2"), null);
  const named = guardOf({ cwd: folder, env: { LTXC_TRUST: "my.mjs" } }, text);
  assert.is(await named.build(path, "3"), null);
});

test("a list that others may write, a damaged one and a link are not followed", async ({ folder, env }) => {
  const list = trustListPath(env);
  const listed = () => ltxc(["trust", "--list"], { cwd: folder, env });
  await ltxc(["trust"], { cwd: folder, env });
  const right = await readFile(list, "utf8");
  for (const wrong of ["{", "[]", '{"trusted": [1]}', '{"trusted": [{"path": "/", "sha256": "x"}]}']) {
    await writeFile(list, wrong);
    const { code, err } = await listed();
    assert.is(code, 2, wrong);
    assert.match(err, "is damaged");
  }
  await writeFile(list, right);
  if (process.platform === "win32") return;
  await chmod(list, 0o666);
  assert.match((await listed()).err, "others may write");
  await chmod(list, 0o600);
  assert.is((await listed()).code, 0);
  await writeFile(join(folder, "other.json"), right);
  const linked = { XDG_CONFIG_HOME: join(folder, "linked") };
  await mkdir(join(folder, "linked/ltxc"), { recursive: true });
  await symlink(join(folder, "other.json"), trustListPath(linked));
  assert.is((await ltxc(["trust", "--list"], { cwd: folder, env: linked })).code, 2);
  assert.ok((await lstat(trustListPath(linked))).isSymbolicLink());
});

asRoot("a list of another user is not followed", async ({ folder, env }) => {
  await ltxc(["trust"], { cwd: folder, env });
  await chown(trustListPath(env), somebody, somebody);
  const { code, err } = await ltxc(["trust", "--list"], { cwd: folder, env });
  assert.is(code, 2);
  assert.match(err, `belongs to another user (uid ${somebody})`);
});

test.run();
