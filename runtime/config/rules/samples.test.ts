import { suite } from "uvu";
import * as assert from "uvu/assert";
import { drawableSamples, resolveConfig } from "../index.ts";

const test = suite("samples of a run config");

function resolve(samples: readonly unknown[], interval: number | null = 10) {
  const raw = {
    model: { model_path: "m.safetensors" },
    lora: {},
    data: { preprocessed_data_root: "data" },
    validation: { samples, interval, negative_conditions_file: "negative.pt" },
  };
  return resolveConfig(raw, { configDirectory: "/project" });
}

const found = (samples: readonly unknown[]) =>
  resolve(samples).findings.map(({ code, path, message }) => `${code} ${path.slice(2).join(".")} ${message}`);
const sample = (...conditions: readonly unknown[]) => ({ conditions_file: "c.pt", conditions });

test("files start at the config file's folder", () => {
  const { config } = resolve([sample({ type: "mask", video: "v.pt", mask: "m.pt" })]);
  assert.is(config?.validation.negative_conditions_file, "/project/negative.pt");
  const [only] = config === null ? [] : drawableSamples(config);
  assert.equal(
    [only?.index, only?.conditions_file, only?.conditions],
    [0, "/project/c.pt", [{ type: "mask", video: "/project/v.pt", mask: "/project/m.pt" }]],
  );
});

test("prompts and sound are not drawn, and said so with a reason; the other samples are", () => {
  const samples = [
    { prompt: "a cat" },
    { prompt: "a dog" },
    sample({ type: "prefix", audio: "1.wav" }),
    sample({ type: "first_frame", image_or_video: "1.png" }),
    { ...sample(), prompt: "kept" },
  ];
  assert.equal(found(samples), [
    "LTX6006 0.prompt 2 samples are not drawn: a prompt needs a text encoder, and there is none here",
    "LTX6006 2.conditions.0.audio this sample is not drawn: /project/1.wav would have to be encoded, and there is no autoencoder for sound here",
  ]);
  const { config } = resolve(samples);
  assert.equal(config === null ? [] : drawableSamples(config).map(({ index }) => index), [3, 4]);
});

test("without an interval nothing is drawn, and nothing has to be said", () => {
  const { config, findings } = resolve([{ prompt: "a cat" }, sample()], null);
  assert.equal(findings, []);
  assert.equal(config && drawableSamples(config), []);
});

test("a sample without a caption is refused", () => {
  assert.equal(found([{ seed: 1 }]), ["LTX6004 0 a sample needs `conditions_file` or `prompt`"]);
});

test("conditions that lack a file, or have one too many, are refused", () => {
  const conditions = [
    { type: "first_frame" },
    { type: "prefix" },
    { type: "suffix", video: "v.pt", audio: "a.pt" },
    { type: "mask", video: "v.pt" },
    { type: "spatial_crop", video: "v.pt" },
    { type: "spatial_crop", video: "v.pt", spatial_region: [64, 0, 64, 32] },
    { type: "reference", audio: "a.pt" },
  ];
  assert.equal(found([sample(...conditions)]), [
    "LTX6008 0.conditions.0 a `first_frame` needs `image_or_video`",
    "LTX6008 0.conditions.1 a `prefix` needs exactly one of `video` and `audio`",
    "LTX6008 0.conditions.2 a `suffix` needs exactly one of `video` and `audio`",
    "LTX6008 0.conditions.3 a `mask` needs `mask`",
    "LTX6008 0.conditions.4 a `spatial_crop` needs `spatial_region: [y1, x1, y2, x2]`",
    "LTX6008 0.conditions.5 `spatial_region` [64, 0, 64, 32] is empty: it is y1, x1, y2, x2 in pixels",
  ]);
});

test("what is given whole takes no other condition, and not both are", () => {
  const video = { type: "video_to_audio", video: "v.pt" };
  const audio = { type: "audio_to_video", audio: "a.pt" };
  assert.equal(found([sample(video, audio)]), [
    "LTX6008 0.conditions.1 `video_to_audio` and `audio_to_video` together leave nothing to generate",
  ]);
  assert.equal(found([sample({ type: "prefix", video: "v.pt" }, video, { type: "suffix", audio: "a.pt" })]), [
    "LTX6008 0.conditions.0 the video is given whole, so `prefix` has nothing to do",
  ]);
});

test("fields that the type makes no use of are said", () => {
  const crop = { type: "spatial_crop", video: "v.pt", spatial_region: [0, 0, 32, 32] };
  assert.equal(found([sample({ type: "first_frame", image_or_video: "v.pt", num_frames: 9 }, crop)]), [
    "LTX6006 0.conditions.0.num_frames `num_frames` has no effect on a `first_frame`",
  ]);
  assert.equal(found([sample({ ...crop, duration: 1 }, { type: "reference", video: "v.pt", downscale_factor: 2 })]), [
    "LTX6006 0.conditions.0.duration `duration` has no effect on a `spatial_crop`",
  ]);
});

test.run();
