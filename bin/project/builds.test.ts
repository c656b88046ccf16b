import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CONTRACT_VERSION } from "../../compiler/version.ts";
import { findBuild } from "./builds.ts";

const test = suite<{ folder: string; build: string }>("builds");
const source = "strategy: shapes\n";
const hash = createHash("sha256").update(source).digest("hex");

test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "ltxc-builds-"));
  context.build = join(context.folder, "build");
  await mkdir(context.build);
});

test.after.each(({ folder }) => rm(folder, { recursive: true }));

/** A module as `ltxc compile` writes it, as far as finding it goes. */
async function writeBuild(build: string, contract = CONTRACT_VERSION): Promise<void> {
  const info = { name: "shapes", contract, sourceHash: hash };
  await writeFile(join(build, "shapes.mjs"), `export const strategy = ${JSON.stringify(info)};`);
}

test("takes the build whose source is unchanged, and one whose source is elsewhere", async ({ folder, build }) => {
  await writeBuild(build);
  assert.is((await findBuild({ name: "shapes" }, build, folder)).step?.strategy.name, "shapes");
  await writeFile(join(folder, "my.strategy"), source);
  assert.equal((await findBuild({ name: "shapes" }, build, folder)).findings, []);
});

test("refuses a build whose source was changed, and names the command", async ({ folder, build }) => {
  await writeBuild(build);
  await writeFile(join(folder, "my.strategy"), `${source}description: new\n`);
  const { step, findings } = await findBuild({ name: "shapes" }, build, folder);
  assert.is(step, null);
  assert.is(findings[0]?.code, "LTX6502");
  assert.match(findings[0]?.help ?? "", "ltxc compile my.strategy");
});

test("refuses a build whose imported file was changed or is gone", async ({ folder, build }) => {
  await writeBuild(build);
  await writeFile(join(folder, "my.strategy"), source);
  const map = { sources: ["../losses/edge.ts", "../my.strategy"], sourcesContent: ["export {};\n", "an older text"] };
  await writeFile(join(build, "shapes.mjs.map"), JSON.stringify(map));
  const find = async () => (await findBuild({ name: "shapes" }, build, folder)).findings.map(({ code }) => code);
  assert.equal(await find(), ["LTX6502"]);
  await mkdir(join(folder, "losses"));
  await writeFile(join(folder, "losses/edge.ts"), "export {};\n");
  assert.equal(await find(), []);
  await writeFile(join(folder, "losses/edge.ts"), "export const changed = 1;\n");
  assert.equal(await find(), ["LTX6502"]);
});

test("refuses builds of another contract and damaged ones", async ({ folder, build }) => {
  await writeBuild(build, CONTRACT_VERSION + 1);
  assert.is((await findBuild({ name: "shapes" }, build, folder)).findings[0]?.code, "LTX6503");
  await writeFile(join(build, "broken.mjs"), "export const strategy = {");
  assert.is((await findBuild({ name: "broken" }, build, folder)).findings[0]?.code, "LTX6503");
});

test("tells a strategy that is not compiled from one that does not exist", async ({ folder, build }) => {
  await writeFile(join(folder, "my.strategy"), source);
  assert.is((await findBuild({ name: "shapes" }, build, folder)).findings[0]?.code, "LTX6501");
  await writeBuild(build);
  const { findings } = await findBuild({ name: "shape" }, build, folder);
  assert.is(findings[0]?.code, "LTX6010");
  assert.match(findings[0]?.help ?? "", "`shapes`");
});

test("a missing build folder is no error of its own", async ({ folder }) => {
  const { findings } = await findBuild({ name: "shapes" }, join(folder, "nowhere"), folder);
  assert.is(findings[0]?.code, "LTX6010");
});

test.run();
