// Every example compiles and trains as it stands, with the sample data and the tiny model of `ltxc init` in place of real ones.
import { cp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { configure, ltxc, project } from "./testing.ts";

const test = suite("examples");
const here = fileURLToPath(new URL("../examples", import.meta.url));
const folders = (await readdir(here, { withFileTypes: true })).filter((entry) => entry.isDirectory());

test("there is one for each strategy that a project can start from", () => {
  assert.equal(
    folders.map(({ name }) => name),
    ["inpainting", "text_to_video", "text_to_video_with_audio"],
  );
});

for (const { name } of folders) {
  test(`${name} compiles, checks and trains`, async () => {
    const cwd = await project({}, name);
    await cp(join(here, name), cwd, { recursive: true });
    await configure(cwd, { model_path: "models/tiny-ltx2.safetensors", steps: 2 });
    assert.is((await ltxc(["compile"], { cwd })).code, 0);
    assert.is((await ltxc(["check"], { cwd })).out, `no findings in ${name}.strategy, train.yaml\n`);
    const { code, out, err } = await ltxc(["run"], { cwd });
    assert.is(code, 0, err);
    assert.match(out, "lora_weights_step_00002.safetensors");
    await rm(cwd, { recursive: true });
  });

  test(`${name} is the built-in strategy, and its README is short`, async () => {
    const withoutModeline = (text: string) => text.replace(/^# yaml-language-server:.*\n/, "");
    const example = await readFile(join(here, name, `${name}.strategy`), "utf8");
    const builtin = await readFile(join(here, `../compiler/builtin/${name}.strategy`), "utf8");
    assert.is(withoutModeline(example), withoutModeline(builtin));
    assert.ok((await readFile(join(here, name, "README.md"), "utf8")).split("\n").length < 60);
  });
}

test.run();
