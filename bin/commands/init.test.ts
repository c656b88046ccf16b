import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ltxc } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("init");

test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-init-"));
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));

test("makes every start, in which nothing is left to complain about", async ({ cwd }) => {
  for (const name of ["inpainting", "text_to_video", "text_to_video_with_audio"]) {
    assert.is((await ltxc(["init", name, "--from", name], { cwd })).code, 0);
    const { code, out } = await ltxc(["check"], { cwd: join(cwd, name) });
    assert.match(out, /^train\.yaml\n  samples +8 to train on\n/);
    assert.match(out, new RegExp(`\\nno findings in ${name}\\.strategy, train\\.yaml\\n$`));
    assert.is(code, 0);
  }
});

test("an example that would diverge on the tiny model gets a learning rate of its own", async ({ cwd }) => {
  const rateOf = async (name: string) => {
    await ltxc(["init", name, "--from", name], { cwd });
    return /learning_rate: (\S+)/.exec(await readFile(join(cwd, name, "train.yaml"), "utf8"))?.[1];
  };
  assert.is(await rateOf("diffusion_dpo"), "1e-5");
  assert.is(await rateOf("output_preservation"), "1e-2");
});

test("an unknown example is answered with the one that is meant", async ({ cwd }) => {
  const { code, err } = await ltxc(["init", "my-lora", "--from", "inpaintng"], { cwd });
  assert.is(code, 2);
  assert.match(err, "did you mean `inpainting`?");
});

test("says what it made and what comes next", async ({ cwd }) => {
  const { out } = await ltxc(["init", "my-lora"], { cwd });
  assert.match(out, "Made a project in my-lora:");
  assert.match(out, "  inpainting.strategy ");
  assert.match(out, "Next:\n  cd my-lora\n  ltxc compile\n  ltxc run\n");
  const there = await ltxc(["init", "there", "--target", "ltx-trainer"], { cwd });
  assert.match(there.out, "\n  ltxc compile --target ltx-trainer\n  ltxc run   # on the official trainer");
  assert.match((await ltxc(["init", "it's mine"], { cwd })).out, "\n  cd 'it'\\''s mine'\n");
});

test("the strategy names the project's own schema to editors", async ({ cwd }) => {
  await ltxc(["init"], { cwd });
  const text = await readFile(join(cwd, "inpainting.strategy"), "utf8");
  assert.match(text, /^# yaml-language-server: \$schema=schemas\/strategy\.schema\.json\nstrategy: inpainting\n/);
  const schema: { title: string } = JSON.parse(await readFile(join(cwd, "schemas/strategy.schema.json"), "utf8"));
  assert.ok(schema.title.length > 0);
});

test("overwrites nothing unless told to, and says what is in the way", async ({ cwd }) => {
  await writeFile(join(cwd, "train.yaml"), "mine");
  const refused = await ltxc(["init"], { cwd });
  assert.is(refused.code, 2);
  assert.match(refused.err, "nothing was written:\n  train.yaml\n");
  assert.is(await readFile(join(cwd, "train.yaml"), "utf8"), "mine");
  assert.is((await ltxc(["init", "--force"], { cwd })).code, 0);
  assert.match(await readFile(join(cwd, "train.yaml"), "utf8"), "training_strategy:");
});

test("a folder that cannot be made is a usage error", async ({ cwd }) => {
  await writeFile(join(cwd, "file"), "");
  const { code, err } = await ltxc(["init", "file/below"], { cwd });
  assert.is(code, 2);
  assert.match(err, "choose a folder in which you may write");
});

test("a model that cannot be written is a usage error as well", async ({ cwd }) => {
  await mkdir(join(cwd, "models/tiny-ltx2.safetensors"), { recursive: true });
  const { code, err } = await ltxc(["init", "--force"], { cwd });
  assert.is(code, 2);
  assert.match(err, "models/tiny-ltx2.safetensors cannot be written");
  assert.match(err, "choose a folder in which you may write");
});

test("--json lists the files, --quiet prints nothing", async ({ cwd }) => {
  const { out } = await ltxc(["init", "a", "--json"], { cwd });
  const made: { folder: string; files: string[] } = JSON.parse(out);
  assert.is(made.folder, join(cwd, "a"));
  assert.ok(made.files.includes("models/tiny-ltx2.safetensors"));
  assert.is((await ltxc(["init", "b", "--quiet"], { cwd })).out, "");
});

test.run();
