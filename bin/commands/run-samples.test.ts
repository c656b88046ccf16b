import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isTensor, readPt, toFloat32, type PtValue } from "../../runtime/files/index.ts";
import { readTensorFile } from "../../runtime/checkpoints/tensor-file.ts";
import { findFfmpeg } from "../../runtime/media/ffmpeg.ts";
import { encodePng } from "../../runtime/media/png.ts";
import { decodePng } from "../../runtime/media/reading/decode-png.ts";
import { tinyDiffusionVae, writeTinyVae } from "../../runtime/testing/tiny-vae.ts";
import { ltxc, project } from "../testing/testing.ts";
import { negative, sample, usual, validation } from "../testing/validation.ts";

const test = suite<{ original: string; cwd: string }>("samples of a run");

test.before(async (context) => {
  context.original = await project({ steps: 2 }, "text_to_video_with_audio");
});
test.before.each(async (context) => {
  context.cwd = await mkdtemp(join(tmpdir(), "ltxc-samples-"));
  await cp(context.original, context.cwd, { recursive: true });
});
test.after.each(({ cwd }) => rm(cwd, { recursive: true }));
test.after(({ original }) => rm(original, { recursive: true }));

async function latentsOf(
  path: string,
): Promise<{ shape: readonly number[]; values: Float32Array; file: Map<PtValue, PtValue> }> {
  const file = await readPt(path);
  const latents = file instanceof Map ? file.get("latents") : undefined;
  if (!(file instanceof Map) || !isTensor(latents)) throw new Error(`${path} holds no latents`);
  return { shape: latents.shape, values: toFloat32(latents), file };
}

test("are drawn at the start and at each interval, and kept as latents, for official scripts and as a picture", async ({
  cwd,
}) => {
  const first = "      - {type: first_frame, image_or_video: data/latents/clip_3.pt}";
  await validation(cwd, [...usual, negative, ...sample, "    conditions:", first, "  - prompt: a cat"]);
  const { code, out, err } = await ltxc(["run"], { cwd });
  assert.is(code, 0, err);
  assert.match(err, "warning[LTX6006]: this sample is not drawn: a prompt needs a text encoder");
  assert.match(out, /^sample 1\/1 in .* s: outputs\/samples\/step_000002_1\.safetensors$/m);
  const names = ["step_000000_1", "step_000002_1"];
  const folder = join(cwd, "outputs/samples");
  assert.equal(
    (await readdir(folder)).toSorted(),
    [
      "audio_latents",
      "latents",
      ...names.flatMap((name) => [`${name}.png`, `${name}.safetensors`, `${name}_audio.png`]),
    ].toSorted(),
  );
  const video = await latentsOf(join(folder, "latents/step_000002_1.pt"));
  assert.equal([video.shape, video.file.get("num_frames"), video.file.get("fps")], [[8, 3, 6, 6], 3, 24]);
  const given = await latentsOf(join(cwd, "data/latents/clip_3.pt"));
  for (let c = 0; c < 8; c++) {
    const frame = (values: Float32Array) => [...values.subarray(c * 108, c * 108 + 36)];
    assert.equal(frame(video.values), frame(given.values));
  }
  const audio = await latentsOf(join(folder, "audio_latents/step_000002_1.pt"));
  assert.equal([audio.shape, audio.file.get("num_time_steps"), audio.file.get("duration")], [[8, 18, 2], 18, 0.72]);
  const { tensors, metadata } = await readTensorFile(join(folder, "step_000002_1.safetensors"));
  assert.equal([...tensors.keys()], ["video", "audio"]);
  assert.equal(tensors.get("audio")?.data, audio.values);
  assert.equal(metadata, { step: "2", seed: "42", fps: "24" });
});

test("the base model's sample is that of step 0, and drawn once where a run begins with a trained file", async ({
  cwd,
}) => {
  const dims = usual.map((line) => line.replace("[192, 192, 17]", "[64, 32, 1]"));
  await validation(cwd, [...dims, "generate_audio: false", negative, ...sample]);
  assert.is((await ltxc(["run"], { cwd })).code, 0);
  const read = (name: string) => readTensorFile(join(cwd, name));
  const untrained = await read("outputs/samples/step_000000_1.safetensors");
  const trained = await read("outputs/samples/step_000002_1.safetensors");
  assert.equal(["base" in untrained.metadata, "base" in trained.metadata], [true, false]);
  assert.not.ok((await readdir(join(cwd, "outputs/samples"))).some((name) => name.startsWith("base")));
  const from = "model.load_checkpoint=outputs/checkpoints/lora_weights_step_00002.safetensors";
  const again = await ltxc(["run", "--set", "output_dir=again", "--set", "checkpoints.no_resume=true", "--set", from], {
    cwd,
  });
  assert.match(again.out, /^sample 1\/1 of the base model in .* s: again\/samples\/base_1\.safetensors$/m);
  assert.is(again.out.match(/of the base model/g)?.length, 1);
  const base = await read("again/samples/base_1.safetensors");
  const [values, start] = [base.tensors.get("video")?.data, untrained.tensors.get("video")?.data];
  assert.equal(values, start);
  assert.not.equal((await read("again/samples/step_000000_1.safetensors")).tensors.get("video")?.data, values);
  assert.is((await ltxc(["report", "again"], { cwd })).code, 0);
  const html = await readFile(join(cwd, "again/report.html"), "utf8");
  const shown = [...html.matchAll(/<figcaption><span>([^<]*)<\/span> <i>(?:step|base)_/g)].map(([, text]) => text);
  assert.equal(shown, ["base model", "before the training", "after step 2"]);
  assert.match(html, /# +conditions_file: .*clip_2\.pt/);
});

test("a resumed run says which files of its samples have other contents, and goes on", async ({ cwd }) => {
  const named = ["caption", "first"].map((name) => join(cwd, `${name}.pt`)) as [string, string];
  await cp(join(cwd, "data/conditions/clip_2.pt"), named[0]);
  await cp(join(cwd, "data/latents/clip_3.pt"), named[1]);
  const lines = ["samples:", "  - conditions_file: caption.pt", "    conditions:"];
  const first = "      - {type: first_frame, image_or_video: first.pt}";
  await validation(cwd, [...usual, negative, ...lines, first]);
  assert.is((await ltxc(["run"], { cwd })).code, 0);
  const resume = async (steps: number) => ltxc(["run", "--resume", "--set", `optimization.steps=${steps}`], { cwd });
  const same = await resume(3);
  assert.equal([same.code, same.err.includes("LTX6186")], [0, false], same.err);
  await cp(join(cwd, "data/latents/clip_4.pt"), named[1]);
  const one = await resume(4);
  assert.is(one.code, 0, one.err);
  assert.match(one.err, "warning[LTX6186]: what `validation.samples[0].conditions[0].image_or_video` names has other");
  await cp(join(cwd, "data/conditions/clip_5.pt"), named[0]);
  const other = await resume(5);
  assert.match(other.err, "warning[LTX6186]: what `validation.samples[0].conditions_file` names has other contents");
});

async function findings(cwd: string): Promise<readonly string[]> {
  const { out } = await ltxc(["check"], { cwd });
  return [...out.matchAll(/^(?:error|warning)\[(LTX\d+)\]: (.*)\n +--> train.yaml/gm)].map(
    ([, code, text]) => `${code} ${text}`,
  );
}

test("a sample of more tokens than memory could hold is refused, as picture and as sound", async ({ cwd }) => {
  await validation(cwd, [...usual, "video_cfg_scale: 1", "audio_cfg_scale: 1", "frame_rate: 0.00001", ...sample]);
  const refused = (what: string) => `LTX6330 ${what} tokens, and a sample has at most 4,194,304`;
  assert.equal(await findings(cwd), [refused("17 frames at `frame_rate: 0.00001` are 42,500,000")]);
  const dims = "    video_dims: [19200000, 19200000, 17]";
  await validation(cwd, [...usual, "video_cfg_scale: 1", "audio_cfg_scale: 1", ...sample, dims]);
  assert.equal(await findings(cwd), [refused("19200000 x 19200000 pixels and 17 frames are 1,080,000,000,000")]);
});

test("everything that does not fit is found before the run, at once", async ({ cwd }) => {
  const wrong = [
    "      - {type: prefix, video: data/latents/clip_3.pt, num_frames: 8}",
    "      - {type: suffix, audio: data/latents/clip_3.pt}",
  ];
  await validation(cwd, [
    ...usual.slice(0, 3),
    "guidance_rescale: 0",
    ...sample,
    "    conditions:",
    ...wrong,
    "  - conditions_file: data/latents/clip_2.pt",
    "  - conditions_file: data/conditions/clip_2.pt",
    "    video_dims: [200, 192, 16]",
  ]);
  const found = await findings(cwd);
  const expected = [
    /^LTX6008 `video_cfg_scale: 3` leads away from a negative caption, and there is none$/,
    /^LTX6008 `audio_cfg_scale: 7` leads away/,
    /^LTX6333 `stg_blocks` names block 28, and the model has 2, counted from 0$/,
    /^LTX6331 a `prefix` of 8 frames does not end with a latent frame$/,
    /^LTX6132 .*clip_3.pt: `latents` is \[8, 3, 6, 6\], expected three axes$/,
    /^LTX6130 .*clip_2.pt: `prompt_attention_mask` is missing/,
    /^LTX6330 200 x 192 pixels and 16 frames do not divide into latent cells$/,
  ];
  for (const pattern of expected)
    assert.ok(
      found.some((line) => pattern.test(line)),
      `${pattern} in\n${found.join("\n")}`,
    );
  assert.is(found.length, expected.length, found.join("\n"));
});

test("a sample without anything to generate is refused", async ({ cwd }) => {
  await validation(cwd, [...usual, "generate_audio: false", "generate_video: false", negative, ...sample]);
  assert.equal(await findings(cwd), ["LTX6008 samples with neither video nor audio show nothing"]);
  const given = "      - {type: audio_to_video, audio: data/audio_latents/clip_3.pt}";
  await validation(cwd, [...usual, "generate_video: false", negative, ...sample, "    conditions:", given]);
  assert.equal(await findings(cwd), ["LTX6332 nothing is left to generate in this sample"]);
  const crop = "      - {type: prefix, video: data/latents/clip_3.pt}";
  await validation(cwd, [...usual, "generate_video: false", negative, ...sample, "    conditions:", crop]);
  assert.equal(await findings(cwd), ["LTX6332 `prefix` is about video, but `generate_video` is false"]);
});

/** A gradient whose colours change with `phase`. */
function picture(phase: number): Buffer {
  const pixels = Uint8Array.from({ length: 3 * 80 * 48 }, (_, i) => Math.round(127 + 120 * Math.sin(i / 50 + phase)));
  return encodePng({ width: 80, height: 48, pixels });
}

/** Sets the file of the video VAE. */
async function withVae(cwd: string, vae: Parameters<typeof writeTinyVae>[1] = {}): Promise<void> {
  await writeTinyVae(join(cwd, "vae.safetensors"), vae);
  const config = join(cwd, "train.yaml");
  const text = await readFile(config, "utf8");
  await writeFile(config, text.replace(/^( +)(model_path:.*)$/m, "$1$2\n$1video_vae_path: vae.safetensors"));
}

const small = usual.map((line) => line.replace("[192, 192, 17]", "[64, 32, 9]"));

test("are videos where the run's video VAE is at hand, which also encodes pictures that are conditions", async ({
  cwd,
}) => {
  await writeFile(join(cwd, "first.png"), picture(0));
  const conditions = ["    conditions:", "      - {type: first_frame, image_or_video: first.png}"];
  await validation(cwd, [...small, "skip_initial_validation: true", negative, ...sample, ...conditions]);
  await withVae(cwd);
  const { code, err } = await ltxc(["run"], { cwd });
  assert.is(code, 0, err);
  const folder = join(cwd, "outputs/samples");
  const names = (await readdir(folder)).filter((name) => name.startsWith("step_000002_1"));
  const video = findFfmpeg() === null ? [] : ["step_000002_1.mp4"];
  if (video.length === 0) console.log("samples of a run: no ffmpeg here, so no video is expected");
  const rest = ["step_000002_1.png", "step_000002_1.safetensors", "step_000002_1_audio.png"];
  assert.equal(names.toSorted(), [...video, ...rest].toSorted());
  const strip = await readFile(join(folder, "step_000002_1.png"));
  // Five frames of 64 x 32 pixels, in colour, with 4 pixels between them.
  assert.equal([strip.readUInt32BE(16), strip.readUInt32BE(20), strip[25]], [5 * 64 + 4 * 4, 32, 2]);
  const drawn = await latentsOf(join(folder, "latents/step_000002_1.pt"));
  const encoded = ["encode", "first.png", "--vae", "vae.safetensors", "--resolution-buckets", "64x32x1"];
  assert.is((await ltxc(encoded, { cwd })).code, 0);
  const given = await latentsOf(join(cwd, "latents/first.pt"));
  assert.equal(
    [drawn.shape, given.shape],
    [
      [8, 2, 1, 2],
      [8, 1, 1, 2],
    ],
  );
  for (let c = 0; c < 8; c++)
    for (let i = 0; i < 2; i++) {
      const [is, was] = [drawn.values[c * 4 + i] ?? NaN, given.values[c * 2 + i] ?? NaN];
      assert.ok(Math.abs(is - was) < 1e-2 * Math.max(1, Math.abs(was)), `channel ${c}, cell ${i}: ${is}, ${was}`);
    }
});

test("are pictures by the diffusion decoder, too, whose noise the seed of the samples draws", async ({ cwd }) => {
  const still = usual.map((line) => line.replace("[192, 192, 17]", "[64, 32, 1]"));
  const lines = ["skip_initial_validation: true", "generate_audio: false", "seed: 5", negative];
  await validation(cwd, [...still.filter((line) => !line.startsWith("seed")), ...lines, ...sample]);
  await withVae(cwd, { config: tinyDiffusionVae });
  const { code, err } = await ltxc(["run"], { cwd });
  assert.is(code, 0, err);
  const drawn = decodePng(await readFile(join(cwd, "outputs/samples/step_000002_1.png")));
  assert.equal([drawn.width, drawn.height], [64, 32]);
  const again = async (seed: string) => {
    const latents = "outputs/samples/latents/step_000002_1.pt";
    const args = ["decode", latents, "--vae", "vae.safetensors", "--seed", seed, "--force"];
    const made = await ltxc(args, { cwd });
    assert.is(made.code, 0, made.err);
    const { bytes } = decodePng(await readFile(join(cwd, "decoded/step_000002_1.png")));
    return Math.max(...bytes.map((value, i) => Math.abs(value - (drawn.bytes[i] ?? NaN))));
  };
  // Latents are stored in bfloat16.
  assert.ok((await again("5")) <= 8, "the same seed");
  assert.ok((await again("6")) > 20, "another seed");
});

test("pixels that can not be encoded, and samples that will not be decoded, are found before the run", async ({
  cwd,
}) => {
  await writeFile(join(cwd, "first.png"), picture(0));
  await writeFile(join(cwd, "cut.png"), picture(0).subarray(0, 70));
  const condition = (name: string) => [
    ...sample,
    "    conditions:",
    `      - {type: first_frame, image_or_video: ${name}}`,
  ];
  await validation(cwd, [...small, negative, ...sample]);
  assert.match(
    (await findings(cwd)).join(),
    /^LTX6831 samples will be pictures of their latents, not videos, since .*model.* holds no video VAE/,
  );
  await validation(cwd, [...small, negative, ...condition("first.png")]);
  assert.match(
    (await findings(cwd)).join(),
    /^LTX6830 .*first\.png would have to be encoded, but .* holds no video VAE/,
  );
  await withVae(cwd);
  const ready = await findings(cwd);
  // Without ffmpeg pictures are all there can be, as LTX6832 says.
  assert.match(ready.join(), findFfmpeg() === null ? /^LTX6832 [^,]*pictures of five frames/ : /^$/);
  await writeTinyVae(join(cwd, "vae.safetensors"), { config: tinyDiffusionVae });
  assert.equal(await findings(cwd), ready, "the diffusion decoder is as good");
  await validation(cwd, [...small, negative, ...condition("cut.png")]);
  assert.match((await findings(cwd)).join(), /^LTX6820 .*cut\.png is no whole PNG picture: it is cut off/);
  await validation(cwd, [...small, negative, ...condition("nowhere.png")]);
  assert.match((await findings(cwd)).join(), /^LTX6820 .*nowhere\.png does not exist/);
});

test.run();
