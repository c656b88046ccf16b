import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveConfig, strategyOf, toOfficial } from "../index.ts";

const test = suite("official strategies");

const base = {
  model: { model_path: "ltx.safetensors" },
  lora: {},
  data: { preprocessed_data_root: "data" },
  validation: { interval: null },
};
const resolve = (training_strategy: object, more: object = {}) =>
  resolveConfig({ ...base, training_strategy, ...more }, { configDirectory: "/project" });
const flexible = (video: unknown, audio?: unknown) =>
  resolve({ name: "flexible", ...(video === null ? {} : { video }), ...(audio === undefined ? {} : { audio }) });
const codes = ({ findings }: ReturnType<typeof resolve>) =>
  findings.map(({ code, path }) => `${code} ${path.slice(1).join(".")}`.trim());

const video = (...conditions: object[]) => ({ is_generated: true, latents_dir: "latents", conditions });

test("flexible gets its defaults, and numbers that are written as text", () => {
  const { config, findings } = flexible({
    ...video({ type: "prefix", temporal_boundary: "2" }, { type: "reference", latents_dir: "r", probability: "5e-1" }),
    is_generated: "yes",
  });
  assert.equal(findings, []);
  assert.equal(config?.training_strategy, {
    name: "flexible",
    video: {
      is_generated: true,
      latents_dir: "latents",
      conditions: [
        { type: "prefix", probability: 1, temporal_boundary: 2 },
        { type: "reference", probability: 0.5, latents_dir: "r" },
      ],
    },
    audio: null,
  });
});

test("each condition takes its own fields and no others", () => {
  const found = flexible(
    video(
      { type: "prefix", probability: 1.5 },
      { type: "suffix", temporal_boundary: 0 },
      { type: "first_frame", strength: 1 },
      { type: "spatial_crop", spatial_region: [0, 0, 64] },
      { type: "mask", latents_dir: "masks" },
      { type: "keyframe" },
      { probability: 0.5 },
    ),
  );
  assert.equal(codes(found), [
    "LTX6004 video.conditions.0",
    "LTX6003 video.conditions.0.probability",
    "LTX6003 video.conditions.1.temporal_boundary",
    "LTX6001 video.conditions.2.strength",
    "LTX6003 video.conditions.3.spatial_region",
    "LTX6001 video.conditions.4.latents_dir",
    "LTX6004 video.conditions.4",
    "LTX6002 video.conditions.5.type",
    "LTX6004 video.conditions.6",
  ]);
  assert.is(found.config, null);
});

test("audio has no first frame and no rectangle", () => {
  const audio = { is_generated: true, latents_dir: "audio_latents", conditions: [{ type: "first_frame" }] };
  const found = flexible(null, audio);
  assert.equal(codes(found), ["LTX6002 audio.conditions.0.type"]);
  assert.match(found.findings[0]?.message ?? "", 'one of "prefix", "suffix", "mask", "reference"');
});

test("flexible needs something to generate, and knows no other keys", () => {
  assert.equal(codes(resolve({ name: "flexible" })), ["LTX6008"]);
  assert.equal(codes(flexible({ is_generated: false, latents_dir: "latents" })), ["LTX6008"]);
  assert.equal(codes(flexible({ is_generated: true })), ["LTX6004 video"]);
  assert.equal(codes(resolve({ name: "flexible", vido: {}, video: video() })), ["LTX6001 vido"]);
});

test("directories lie below the data root", () => {
  const found = flexible({ ...video({ type: "mask", mask_dir: "/masks" }), latents_dir: "../latents" });
  assert.equal(codes(found), ["LTX6122 video.latents_dir", "LTX6122 video.conditions.0.mask_dir"]);
});

test("conditions of what is given have no effect, but its references do", () => {
  const given = { ...video({ type: "first_frame" }, { type: "reference", latents_dir: "r" }), is_generated: false };
  const found = flexible(given, { is_generated: true, latents_dir: "audio_latents" });
  assert.equal(codes(found), ["LTX6006 video.conditions.0.type"]);
  assert.ok(found.config);
});

test("the older strategies' settings are judged, but belong to the strategy of that name", () => {
  const found = resolve({ first_frame_conditioning_p: 2, with_audio: "perhaps", mine: 1 });
  assert.equal(codes(found), ["LTX6003 first_frame_conditioning_p", "LTX6002 with_audio"]);
  assert.equal(codes(resolve({ name: "video_to_video", first_frame_conditioning_p: -1, reference_latents_dir: 3 })), [
    "LTX6003 first_frame_conditioning_p",
    "LTX6002 reference_latents_dir",
  ]);
  const { config } = resolve({ with_audio: "yes" });
  assert.is(config && strategyOf(config.training_strategy).name, "text_to_video_with_audio");
});

test("video_to_video trains a LoRA and is sampled with references", () => {
  const section = { name: "video_to_video" };
  assert.equal(codes(resolve(section)), []);
  const full = resolve(section, { model: { ...base.model, training_mode: "full" } });
  assert.ok(codes(full).includes("LTX6008 training_mode"));
  const sampled = (conditions: object[]) =>
    resolve(section, { validation: { interval: 10, samples: [{ prompt: "a", conditions }] } });
  assert.ok(codes(sampled([])).includes("LTX6008 samples"));
  assert.not(codes(sampled([{ type: "reference", video: "r.mp4" }])).includes("LTX6008 samples"));
});

test("the saved section is an official one", () => {
  const { config } = flexible(video({ type: "first_frame" }));
  const section = config?.training_strategy ?? { name: "" };
  assert.equal(strategyOf(section), { name: "flexible", params: {} });
  assert.equal(toOfficial(section, strategyOf(section)), section);
  assert.equal(codes(resolve(toOfficial(section, strategyOf(section)))), []);
});

test.run();
