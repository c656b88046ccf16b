import { execFileSync } from "node:child_process";
import { mkdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import type { Guard } from "../trust/guard.ts";
import { ltxc } from "../testing/testing.ts";
import { findBuild } from "./builds.ts";

const test = suite<{ folder: string; build: string }>("builds");
const newFolder = temporaryFolders(test, "ltxc-builds");

const source = `strategy: shapes
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
imports:
  edge: {from: ./losses/edge.ts, type: "(a: tokens:video) -> f32[batch]"}
video:
  latents: latents
loss:
  velocity: mse(video.prediction, video.target)
  own: edge(video.prediction)
`;
const edge = "export const edge = (ops: any, a: unknown) => ops.mean(a, [1, 2]);\n";

/** Lets everything run that is asked about, and keeps what that was. */
function watching(asked: string[] = []): Guard {
  return {
    imports: async ({ files }) => (asked.push(...files), null),
    build: async (path) => (asked.push(path), null),
  };
}

/** A folder with the strategy, compiled. */
test.before.each(async (context) => {
  context.folder = await newFolder();
  context.build = join(context.folder, "build");
  await mkdir(join(context.folder, "losses"));
  await writeFile(join(context.folder, "losses/edge.ts"), edge);
  await writeFile(join(context.folder, "my.strategy"), source);
  assert.is((await ltxc(["compile"], { cwd: context.folder })).code, 0);
});

const codes = async (build: string, folder: string, name = "shapes") =>
  (await findBuild({ name }, { build, cwd: folder, config: folder }, watching())).findings.map(({ code }) => code);

async function change(path: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(path, "utf8");
  assert.match(text, from);
  await writeFile(path, text.replace(from, to));
}

test("takes the build of an unchanged source, and asks about what is imported", async ({ folder, build }) => {
  const asked: string[] = [];
  const { step, findings } = await findBuild(
    { name: "shapes" },
    { build, cwd: folder, config: folder },
    watching(asked),
  );
  assert.equal(findings, []);
  assert.is(step?.strategy.name, "shapes");
  assert.equal(asked.toSorted(), [join(folder, "losses/edge.ts"), join(folder, "my.strategy")]);
});

test("takes a build whose source is in another folder of the project, as its map says", async ({ folder }) => {
  await mkdir(join(folder, "strategies"));
  await writeFile(join(folder, "package.json"), "{}");
  await writeFile(join(folder, "strategies/there.strategy"), source.replace("shapes", "there").replace("./", "../"));
  assert.is((await ltxc(["compile", "strategies/there.strategy"], { cwd: folder })).code, 0);
  assert.equal(await codes(join(folder, "build"), folder, "there"), []);
  await change(join(folder, "strategies/there.strategy"), "mse", "mae");
  assert.equal(await codes(join(folder, "build"), folder, "there"), ["LTX6502"]);
});

test("takes strategy and build from next to the run config, whatever lies in the working folder", async () => {
  const cwd = await newFolder();
  const project = join(cwd, "project");
  await mkdir(project);
  const text = (name: string) => source.replace("shapes", name).replace(/imports:\n.*\n|.*edge.*\n/g, "");
  const find = async (name: string) =>
    findBuild({ name }, { build: join(cwd, "build"), cwd, config: project }, watching());
  // Named like a built-in one.
  await writeFile(join(project, "mine.strategy"), text("text_to_video").replace("mse", "mae"));
  const [missing] = (await find("text_to_video")).findings;
  assert.is(missing?.code, "LTX6501");
  assert.match(missing?.help ?? "", "ltxc compile project/mine.strategy");
  assert.is((await ltxc(["compile"], { cwd: project })).code, 0);
  const inProject = await find("text_to_video");
  assert.is(inProject.build, join(project, "build"));
  // The same name in the working folder, with a build of its own.
  await writeFile(join(cwd, "other.strategy"), text("text_to_video"));
  assert.is((await ltxc(["compile"], { cwd })).code, 0);
  const again = await find("text_to_video");
  assert.is(again.build, join(project, "build"));
  assert.is(again.step?.strategy.sourceHash, inProject.step?.strategy.sourceHash);
  // Compiled from the working folder.
  await rm(join(cwd, "other.strategy"));
  await change(join(project, "mine.strategy"), "velocity:", "speed:");
  assert.equal(
    (await find("text_to_video")).findings.map(({ code }) => code),
    ["LTX6502"],
  );
  assert.is((await ltxc(["compile", "project/mine.strategy"], { cwd })).code, 0);
  assert.is((await find("text_to_video")).build, join(cwd, "build"));
  // A folder that was asked for.
  const asked = { build: join(cwd, "mine"), cwd, config: project };
  const [none] = (await findBuild({ name: "text_to_video" }, asked, watching())).findings;
  assert.is(none?.code, "LTX6501");
});

test("refuses a build whose source was changed, and names the command", async ({ folder, build }) => {
  await change(join(folder, "my.strategy"), "mse", "mae");
  const { step, findings } = await findBuild({ name: "shapes" }, { build, cwd: folder, config: folder }, watching());
  assert.is(step, null);
  assert.is(findings[0]?.code, "LTX6502");
  assert.match(findings[0]?.help ?? "", "ltxc compile my.strategy");
});

test("refuses a build whose imported file was changed or is gone", async ({ folder, build }) => {
  await writeFile(join(folder, "losses/edge.ts"), `${edge}console.log(1);\n`);
  assert.equal(await codes(build, folder), ["LTX6502"]);
  await rm(join(folder, "losses/edge.ts"));
  assert.equal(await codes(build, folder), ["LTX6502"]);
});

test("refuses a build that was changed in whatever place", async ({ folder, build }) => {
  const path = join(build, "shapes.mjs");
  const text = await readFile(path, "utf8");
  for (const changed of [`${text} `, text.replace("[1, 2]", "[1]"), `globalThis.ran = true;\n${text}`]) {
    await writeFile(path, changed);
    assert.equal(await codes(build, folder), ["LTX6511"], changed);
  }
  assert.is("ran" in globalThis, false);
});

test("a build that does not say what it was made of, or by which version, is no bug", async ({ folder, build }) => {
  const path = join(build, "shapes.mjs");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(/compiler: ".*"/, 'compiler: "0.0.1"'));
  assert.equal(await codes(build, folder), ["LTX6503"]);
  await writeFile(path, text.replace(/contract: \d+/, "contract: 0"));
  assert.equal(await codes(build, folder), ["LTX6503"]);
  for (const broken of ["", "export const strategy = {", "\0\0\0"]) {
    await writeFile(path, broken);
    assert.equal(await codes(build, folder), ["LTX6503"]);
  }
});

test("a broken source map does no harm where the sources are", async ({ folder, build }) => {
  for (const map of ["", "{", "null", "[]", '{"sources": 3}', '{"sources": ["a"], "sourcesContent": {}}']) {
    await writeFile(join(build, "shapes.mjs.map"), map);
    assert.equal(await codes(build, folder), [], map);
  }
});

/** Puts something that is no text file in the place of a file. */
const odd: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  "a folder": (path) => mkdir(path),
  "too large": async (path) => {
    await writeFile(path, "");
    await truncate(path, 65 * 2 ** 20);
  },
  ...(process.platform === "win32"
    ? {}
    : {
        "a named pipe": async (path) => execFileSync("mkfifo", [path]),
        "a device": (path) => symlink("/dev/zero", path),
      }),
};

for (const [what, put] of Object.entries(odd)) {
  test(`a build that is ${what} is said to be that, with or without its source`, async ({ folder, build }) => {
    const path = join(build, "shapes.mjs");
    await rm(path);
    await put(path);
    for (const _ of ["with", "without"]) {
      const { findings } = await findBuild({ name: "shapes" }, { build, cwd: folder, config: folder }, watching());
      assert.equal(
        findings.map(({ code }) => code),
        ["LTX6503"],
      );
      assert.match(findings[0]?.message ?? "", `build/shapes.mjs is ${what}`);
      await rm(join(folder, "my.strategy"), { force: true });
    }
  });

  test(`a source map that is ${what} counts as none`, async ({ folder, build }) => {
    const path = join(build, "shapes.mjs.map");
    await rm(path);
    await put(path);
    assert.equal(await codes(build, folder), []);
    await rm(join(folder, "my.strategy"));
    assert.equal(await codes(build, folder), []);
  });
}

test("a build alone is asked about, and told when it is broken", async ({ folder, build }) => {
  await rm(join(folder, "my.strategy"));
  const asked: string[] = [];
  assert.equal(
    (await findBuild({ name: "shapes" }, { build, cwd: folder, config: folder }, watching(asked))).findings,
    [],
  );
  assert.equal(asked, [join(build, "shapes.mjs")]);
  await writeFile(join(build, "shapes.mjs.map"), "{");
  assert.equal(await codes(build, folder), []);
  for (const broken of ["", "export const strategy = {", "export const strategy = {contract: 0};"]) {
    await writeFile(join(build, "shapes.mjs"), broken);
    assert.equal(await codes(build, folder), ["LTX6503"]);
  }
});

test("tells a strategy that is not compiled, or has errors, from one that does not exist", async ({
  folder,
  build,
}) => {
  assert.equal(await codes(join(folder, "nowhere"), folder), ["LTX6501"]);
  const { findings } = await findBuild({ name: "shape" }, { build, cwd: folder, config: folder }, watching());
  assert.is(findings[0]?.code, "LTX6010");
  assert.match(findings[0]?.help ?? "", "`shapes`");
  await rm(join(folder, "my.strategy"));
  assert.equal(await codes(join(folder, "nowhere"), folder), ["LTX6010"]);
});

test.run();
