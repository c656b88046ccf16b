// Run configs of the official strategies, in a project that has no .strategy file and no build.
import { copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { openSafetensors } from "../../runtime/files/index.ts";
import { configure, ltxc } from "../testing/testing.ts";

const test = suite<{ cwd: string }>("official run configs");

const codesOf = (err: string) => err.match(/LTX\d+(?=\])/g) ?? [];

test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-official-"));
  await ltxc(["init", ".", "--from", "ic_lora_audio_video"], { cwd: context.cwd });
  await rm(join(context.cwd, "ic_lora_audio_video.strategy"));
  await configure(context.cwd, { steps: 2, num_dataloader_workers: 0 });
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));

/** Makes the project's run config train with this section, and runs a command on it. */
async function withSection(cwd: string, section: object, command: string) {
  const path = join(cwd, "train.yaml");
  const text = await readFile(path, "utf8");
  const lines = `training_strategy: ${JSON.stringify(section)}\n\n`;
  await writeFile(path, text.replace(/^training_strategy:[^]*?(?=^optimization:)/m, lines));
  return ltxc([command], { cwd });
}

const flexible = {
  name: "flexible",
  video: {
    is_generated: true,
    latents_dir: "latents",
    conditions: [
      { type: "first_frame", probability: 0.5 },
      { type: "reference", latents_dir: "reference_latents" },
    ],
  },
  audio: { is_generated: false, latents_dir: "audio_latents", conditions: [{ type: "prefix", temporal_boundary: 1 }] },
};

test("flexible trains, and saves a run config that means the same", async ({ cwd }) => {
  const { code, out, err } = await withSection(cwd, flexible, "run");
  assert.is(code, 0, err);
  assert.match(out, "training `flexible`: 2 steps");
  assert.equal(codesOf(err), ["LTX6006"]);
  assert.match(await readFile(join(cwd, "outputs/strategy/flexible.strategy"), "utf8"), "    - reference\n");
  const saved = parse(await readFile(join(cwd, "outputs/training_config.yaml"), "utf8"));
  const [, reference] = flexible.video.conditions;
  assert.equal(saved.training_strategy.video.conditions[1], { ...reference, probability: 1 });
  await copyFile(join(cwd, "outputs/training_config.yaml"), join(cwd, "train.yaml"));
  await rm(join(cwd, "outputs"), { recursive: true });
  const again = await ltxc(["check"], { cwd });
  assert.equal(codesOf(again.out), ["LTX6006"]);
});

test("video_to_video trains without a copy in the project, and its checkpoints say how large references are", async ({
  cwd,
}) => {
  const { code, out, err } = await withSection(cwd, { name: "video_to_video" }, "run");
  assert.is(code, 0, err);
  const saved = /outputs\/checkpoints\/\S+\.safetensors/.exec(out)?.[0] ?? "";
  const file = await openSafetensors(join(cwd, saved));
  await file.close();
  assert.is(file.metadata["reference_downscale_factor"], "1");
});

test("a missing directory is reported where the section names it", async ({ cwd }) => {
  await rename(join(cwd, "data/reference_latents"), join(cwd, "data/other"));
  const { code, out } = await withSection(cwd, flexible, "check");
  assert.is(code, 1);
  assert.equal(codesOf(out).toSorted(), ["LTX6006", "LTX6121"]);
  assert.match(out, /"latents_dir":"reference_latents"/);
  const column = Number(/LTX6121[^]*?train\.yaml:\d+:(\d+)/.exec(out)?.[1]);
  const line = (await readFile(join(cwd, "train.yaml"), "utf8")).split("\n").find((text) => text.includes("flexible"));
  assert.ok(line?.slice(column - 1).startsWith('"reference_latents"'));
});

test("a file named like an official strategy is refused, one named like a built-in strategy is taken", async ({
  cwd,
}) => {
  await writeFile(join(cwd, "mine.strategy"), "strategy: flexible\n");
  assert.equal(codesOf((await withSection(cwd, flexible, "run")).err), ["LTX6504", "LTX6006"]);
  await writeFile(join(cwd, "mine.strategy"), "strategy: video_to_video\n");
  assert.equal(codesOf((await withSection(cwd, { name: "video_to_video" }, "run")).err), ["LTX6501"]);
  assert.not((await readdir(cwd)).includes("outputs"));
});

test.run();
