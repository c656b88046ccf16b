import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("compile and check");
const strategy = `strategy: shapes
sources:
  latents: {directory: latents, kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
video:
  latents: latents
  keep: first_frame
loss:
  flow: mse(video.prediction, video.target) over video.generated
`;

test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-compile-"));
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));

test("compiles every strategy of the folder into build/", async ({ cwd }) => {
  await writeFile(join(cwd, "my.strategy"), strategy);
  await writeFile(join(cwd, "other.strategy"), strategy.replace("shapes", "other"));
  const { code, out, err } = await ltxc(["compile"], { cwd });
  assert.is(err, "");
  assert.is(code, 0);
  assert.match(out, "my.strategy → build/shapes.ts, build/shapes.mjs, build/shapes.schema.json\n");
  assert.equal(
    (await readdir(join(cwd, "build"))).filter((name) => name.endsWith(".mjs")),
    ["other.mjs", "shapes.mjs"],
  );
});

test("a run config is no strategy, which is said once", async ({ cwd }) => {
  await writeFile(join(cwd, "train.yaml"), "model:\n  model_path: x\nlora: {rank: 4}\n");
  for (const command of ["compile", "test", "inspect", "fmt"]) {
    const { code, err } = await ltxc([command, "train.yaml"], { cwd });
    assert.is(code, 2, command);
    assert.match(err, `error: train.yaml is a run config, and \`ltxc ${command}\` takes a strategy\n`);
    assert.not.match(err, "LTX2001");
  }
});

test("--target ltx-trainer writes one Python module for each strategy, and nothing else", async ({ cwd }) => {
  await writeFile(join(cwd, "my.strategy"), strategy);
  const { code, out, err } = await ltxc(["compile", "--target", "ltx-trainer"], { cwd });
  assert.is(err, "");
  assert.is(code, 0);
  assert.is(out, "my.strategy → build/ltxc_shapes.py\n");
  assert.equal(await readdir(join(cwd, "build")), ["ltxc_shapes.py"]);
  assert.match(await readFile(join(cwd, "build/ltxc_shapes.py"), "utf8"), "class ShapesStrategy(TrainingStrategy):");
});

const toOfficial = ["compile", "--target", "ltx-trainer"];

test("--target ltx-trainer takes the strategy of a run config, of this folder or built in", async ({ cwd }) => {
  await writeFile(join(cwd, "own.yaml"), "training_strategy: {name: shapes}\n");
  await writeFile(join(cwd, "shapes.strategy"), strategy);
  await writeFile(join(cwd, "official.yaml"), "training_strategy: {name: video_to_video}\n");
  const { code, out, err } = await ltxc([...toOfficial, "own.yaml", "official.yaml"], { cwd });
  assert.is(code, 0, err);
  assert.match(out, "shapes.strategy → build/ltxc_shapes.py\nvideo_to_video.strategy → build/ltxc_video_to_video.py\n");
  const unknown = await ltxc([...toOfficial, "none.yaml"], { cwd });
  assert.is(unknown.code, 2);
  assert.match(unknown.err, "error: none.yaml does not exist");
});

test("a section that a module cannot read is one finding, with what to do", async ({ cwd }) => {
  for (const [name, section] of [
    ["flexible", "name: flexible, video: {is_generated: true, latents_dir: latents}"],
    ["text_to_video", "name: text_to_video, with_audio: true"],
    ["text_to_video", "name: text_to_video, with_audio: false"],
  ]) {
    await writeFile(join(cwd, "a b.yaml"), `training_strategy: {${section}}\n`);
    const { code, err } = await ltxc([...toOfficial, "a b.yaml"], { cwd });
    assert.is(code, 1, section);
    assert.match(err, `error[LTX6613]: this section of \`${name}\``);
    const command = `ltxc eject 'a b.yaml' --out my_${name}.strategy`;
    assert.match(err, command);
    assert.match(err, "1 error\n");
    const made = await ltxc(["eject", "a b.yaml", "--out", `my_${name}.strategy`], { cwd });
    assert.is(made.code, 0, made.err);
    const compiled = await ltxc([...toOfficial, `my_${name}.strategy`], { cwd });
    assert.is(compiled.code, 0, compiled.err);
    await rm(join(cwd, `my_${name}.strategy`));
  }
});

test("a target that does not exist, or options that it has not, are usage errors", async ({ cwd }) => {
  await writeFile(join(cwd, "my.strategy"), strategy);
  const wrong = await ltxc(["compile", "--target", "ltx-trianer"], { cwd });
  assert.is(wrong.code, 2);
  assert.match(wrong.err, "there is no target `ltx-trianer` (LTX6606)\nhelp: did you mean `ltx-trainer`?");
  assert.match((await ltxc(["compile", "--target", "jax"], { cwd })).err, "help: there are `ltxc` and `ltx-trainer`");
  const types = await ltxc(["compile", "--target", "ltx-trainer", "--types"], { cwd });
  assert.is(types.code, 2);
  assert.match(types.err, "`--types` checks TypeScript");
  assert.equal(await readdir(cwd), ["my.strategy"]);
});

test("a folder that cannot be made is a usage error", async ({ cwd }) => {
  await writeFile(join(cwd, "my.strategy"), strategy);
  await writeFile(join(cwd, "file"), "");
  // mkdir below /proc fails with ENOENT, as if the folder above were missing.
  for (const out of ["file/below", ...(process.platform === "linux" ? ["/proc/no/such"] : [])]) {
    const { code, err } = await ltxc(["compile", "--out", out], { cwd });
    assert.is(code, 2);
    assert.match(err, `${out}/shapes.ts cannot be written: `);
  }
});

test("a built-in strategy goes by its name, unless a file has it", async ({ cwd }) => {
  const { code, out } = await ltxc(["compile", "text_to_video", "--emit", "ir"], { cwd });
  assert.is(code, 0);
  assert.match(out, /^strategy text_to_video\n/);
  const checked = await ltxc(["check", "text_to_video"], { cwd });
  assert.match(checked.out, /^no findings in .*text_to_video\.strategy\n$/);
  assert.is((await ltxc(["check", "text_to_vido"], { cwd })).code, 2);
});

test("the source map names the strategy relative to the build folder", async ({ cwd }) => {
  await writeFile(join(cwd, "my.strategy"), strategy);
  await ltxc(["compile", "--out", "made/here"], { cwd });
  const map: { sources: string[] } = JSON.parse(await readFile(join(cwd, "made/here/shapes.mjs.map"), "utf8"));
  assert.equal(map.sources, ["../../my.strategy"]);
});

test("a file with mistakes does not keep the others from being compiled", async ({ cwd }) => {
  await writeFile(join(cwd, "bad.strategy"), strategy.replace("over video.generated", "over video.generatet"));
  await writeFile(join(cwd, "good.strategy"), strategy);
  const { code, err } = await ltxc(["compile"], { cwd });
  assert.is(code, 1);
  assert.match(err, /error\[LTX3\d+\]/);
  assert.match(err, "--> bad.strategy:9:");
  assert.ok((await readdir(join(cwd, "build"))).includes("shapes.mjs"));
});

test("two strategies of one name are refused before anything is written", async ({ cwd }) => {
  await writeFile(join(cwd, "a.strategy"), strategy);
  await writeFile(join(cwd, "b.strategy"), strategy);
  const { code, err } = await ltxc(["compile"], { cwd });
  assert.is(code, 2);
  assert.match(err, "a.strategy and b.strategy are both named `shapes`");
  assert.equal(await readdir(cwd), ["a.strategy", "b.strategy"]);
});

test("--emit ir prints the typed program and writes nothing", async ({ cwd }) => {
  await writeFile(join(cwd, "my.strategy"), strategy);
  const { code, out } = await ltxc(["compile", "--emit", "ir"], { cwd });
  assert.is(code, 0);
  assert.match(out, /^strategy shapes\n/);
  assert.match(out, "bool[batch, token:video]");
  assert.equal(await readdir(cwd), ["my.strategy"]);
});

test("--json gives one object with findings and artifacts", async ({ cwd }) => {
  await writeFile(join(cwd, "my.strategy"), strategy);
  const { out } = await ltxc(["compile", "--json"], { cwd });
  const result: { diagnostics: unknown[]; artifacts: string[] } = JSON.parse(out);
  assert.equal(result.diagnostics, []);
  assert.ok(result.artifacts.includes("build/shapes.mjs"));
});

test("files that cannot be read or written are usage errors that say why", async ({ cwd }) => {
  assert.match((await ltxc(["compile"], { cwd })).err, "there is no *.strategy file in this folder\nhelp: `ltxc init`");
  const missing = await ltxc(["compile", "nowhere.strategy"], { cwd });
  assert.is(missing.code, 2);
  assert.match(missing.err, "nowhere.strategy does not exist");
  assert.match((await ltxc(["check", "."], { cwd })).err, ". is a folder");
  await writeFile(join(cwd, "my.strategy"), strategy);
  const blocked = await ltxc(["compile", "--out", "my.strategy/build"], { cwd });
  assert.is(blocked.code, 2);
  assert.match(blocked.err, "choose another folder with `--out`");
});

test("check reports strategies and run config in one go, in three formats", async ({ cwd }) => {
  await writeFile(join(cwd, "my.strategy"), strategy.replace("latents: latents\n", "latents: latent\n"));
  await writeFile(join(cwd, "train.yaml"), "model:\n\tmodel_path: x\n");
  const terminal = await ltxc(["check"], { cwd });
  assert.is(terminal.code, 1);
  assert.match(terminal.out, "--> my.strategy:6:12");
  assert.match(terminal.out, "--> train.yaml:2:1");
  const json: { diagnostics: { code: string }[] } = JSON.parse((await ltxc(["check", "--json"], { cwd })).out);
  assert.ok(json.diagnostics.length >= 2);
  const sarif: { version: string; runs: { results: unknown[] }[] } = JSON.parse(
    (await ltxc(["check", "--format", "sarif"], { cwd })).out,
  );
  assert.is(sarif.version, "2.1.0");
  assert.is(sarif.runs[0]?.results.length, json.diagnostics.length);
});

test("colours come with --color always and go with NO_COLOR", async ({ cwd }) => {
  await writeFile(join(cwd, "my.strategy"), "strategy: 1\n");
  const escape = String.fromCharCode(27);
  assert.ok((await ltxc(["check", "--color", "always"], { cwd })).out.includes(escape));
  assert.not.ok((await ltxc(["check"], { cwd, columns: 80, env: { NO_COLOR: "1" } })).out.includes(escape));
  assert.ok((await ltxc(["check"], { cwd, columns: 80 })).out.includes(escape));
});

test("a damaged file of a build is replaced, since the others tell that it is ours; two damaged ones are not", async ({
  cwd,
}) => {
  await writeFile(join(cwd, "my.strategy"), strategy);
  assert.is((await ltxc(["compile"], { cwd })).code, 0);
  const built = join(cwd, "build/shapes.mjs");
  const before = await readFile(built);
  await writeFile(built, Buffer.from([0, 255, 1, 254]));
  assert.is((await ltxc(["compile"], { cwd })).code, 0);
  assert.equal(await readFile(built), before);
  for (const name of ["shapes.mjs", "shapes.mjs.map"]) await writeFile(join(cwd, "build", name), "mine");
  const { code, err } = await ltxc(["compile"], { cwd });
  assert.is(code, 2);
  assert.match(err, "or move shapes.mjs away if it is to be replaced");
});

test.run();
