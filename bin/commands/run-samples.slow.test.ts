import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readTensorFile } from "../../runtime/checkpoints/tensor-file.ts";
import { ltxc, project } from "../testing/testing.ts";
import { negative, sample, usual, validation } from "../testing/validation.ts";

const test = suite<{ original: string; cwd: string }>("samples of whole runs");

test.before(async (context) => {
  context.original = await project({ steps: 2 }, "text_to_video_with_audio");
});
test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-samples-"));
  await cp(context.original, context.cwd, { recursive: true });
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));
test.after(({ original }) => rm(original, { recursive: true }));

test("the same seed and weights draw the same, whatever was trained", async ({ cwd }) => {
  await validation(cwd, [...usual, negative, ...sample, "    seed: 0"]);
  const draw = async () => {
    assert.is((await ltxc(["run", "--overwrite"], { cwd })).code, 0);
    return readFile(join(cwd, "outputs/samples/step_000002_1.safetensors"));
  };
  const once = await draw();
  assert.ok(once.equals(await draw()));
  const { metadata } = await readTensorFile(join(cwd, "outputs/samples/step_000002_1.safetensors"));
  assert.is(metadata["seed"], "0");
});

test("video can be given for audio alone; skip_initial_validation waits for the first interval", async ({ cwd }) => {
  const given = "      - {type: video_to_audio, video: data/latents/clip_3.pt}";
  await validation(cwd, [...usual, "skip_initial_validation: true", negative, ...sample, "    conditions:", given]);
  assert.is((await ltxc(["run"], { cwd })).code, 0);
  assert.equal((await readdir(join(cwd, "outputs/samples"))).toSorted(), [
    "audio_latents",
    "base_1.png",
    "base_1.safetensors",
    "step_000002_1.png",
    "step_000002_1.safetensors",
  ]);
});

test("a file that is gone when its turn comes costs the sample, not the run", async ({ cwd }) => {
  await cp(join(cwd, "data/conditions/clip_1.pt"), join(cwd, "negative.pt"));
  await validation(cwd, [...usual, "negative_conditions_file: negative.pt", ...sample]);
  let isGone = false;
  const { code, out, err } = await ltxc(["run"], {
    cwd,
    onText: (text) => {
      if (isGone || !text.includes("step_000000_1")) return;
      isGone = true;
      void rm(join(cwd, "negative.pt"));
    },
  });
  assert.is(code, 0, err);
  assert.match(err, /warning\[LTX6110\]: .*negative.pt/);
  assert.match(out, "LoRA: ");
});

test.run();
