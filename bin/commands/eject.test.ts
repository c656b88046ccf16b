import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("eject");

test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-eject-"));
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));

const flexible = `training_strategy:
  name: flexible
  video: {is_generated: true, latents_dir: latents, conditions: [{type: prefix, temporal_boundary: 2}]}
`;

/** Ejects what a run config of these lines trains. */
async function eject(cwd: string, config: string, ...args: readonly string[]) {
  await writeFile(join(cwd, "train.yaml"), config);
  return ltxc(["eject", ...args], { cwd });
}

test("writes what the run config trains, under a name of its own, and says how to train with it", async ({ cwd }) => {
  const { code, out, err } = await eject(cwd, flexible);
  assert.is(code, 0, err);
  assert.is(
    out,
    "my_flexible.strategy is what train.yaml trains. To train with it, compile it and write in train.yaml:\n\n" +
      "training_strategy:\n  name: my_flexible\n",
  );
  assert.match(
    await readFile(join(cwd, "my_flexible.strategy"), "utf8"),
    /^strategy: my_flexible\n[^]* {2}keep: prefix\(2\)\n/,
  );
  const checked = await ltxc(["check", "my_flexible.strategy"], { cwd });
  assert.is(checked.out, "no findings in my_flexible.strategy\n");
});

test("names the strategy like its file, and keeps the parameters of those that have some", async ({ cwd }) => {
  const config = "training_strategy: {name: text_to_video, with_audio: true, first_frame_conditioning_p: 0.3}";
  const { out } = await eject(cwd, config, "--out", "Talking-Heads.strategy");
  assert.match(out, /\n\ntraining_strategy:\n {2}name: talking_heads\n {2}first_frame_conditioning_p: 0.3\n$/);
  const text = await readFile(join(cwd, "Talking-Heads.strategy"), "utf8");
  assert.is(text, (await builtin("text_to_video_with_audio")).replace(/^strategy: .*/, "strategy: talking_heads"));
});

const builtin = (name: string) => readFile(new URL(`../../compiler/builtin/${name}.strategy`, import.meta.url), "utf8");

test("--json tells the file and the section", async ({ cwd }) => {
  const { out } = await eject(cwd, "training_strategy: {name: video_to_video}", "--json");
  assert.equal(JSON.parse(out), {
    file: "my_video_to_video.strategy",
    training_strategy: { name: "my_video_to_video" },
  });
});

test("overwrites nothing without --force, and takes no name that a strategy cannot have", async ({ cwd }) => {
  await eject(cwd, flexible);
  const again = await eject(cwd, flexible);
  assert.is(again.code, 2);
  assert.match(again.err, "my_flexible.strategy is there already");
  assert.is((await eject(cwd, flexible, "--force")).code, 0);
  for (const name of ["3.strategy", "flexible.strategy", "flexible.yaml"]) {
    assert.is((await eject(cwd, flexible, "--out", name)).code, 2);
  }
});

test("mistakes of the section are findings; the rest of the run config does not matter", async ({ cwd }) => {
  const wrong = await eject(cwd, flexible.replace("temporal_boundary", "boundary"));
  assert.is(wrong.code, 1);
  assert.equal(wrong.err.match(/LTX\d+(?=\])/g), ["LTX6004", "LTX6001"]);
  const unknown = await eject(cwd, "training_strategy: {name: inpaintng}\nmodel: 3");
  assert.is(unknown.code, 1);
  assert.match(unknown.err, "did you mean `inpainting`?");
});

test("a strategy of the project is a file already", async ({ cwd }) => {
  await writeFile(join(cwd, "mine.strategy"), "strategy: inpainting\n");
  const { code, err } = await eject(cwd, "training_strategy: {name: inpainting}");
  assert.is(code, 2);
  assert.match(err, "is a file already: mine.strategy");
});

test.run();
