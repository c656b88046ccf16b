import { suite } from "uvu";
import * as assert from "uvu/assert";
import { format } from "../../compiler/format/format.ts";
import { check } from "../../compiler/index.ts";
import { resolveConfig } from "../../runtime/config/index.ts";
import { flexibleText } from "./flexible.ts";

const test = suite("flexible as a strategy");

/** The text for a section; it compiles without a finding and is formatted as `ltxc fmt` would. */
function textFor(section: object, name = "flexible"): string {
  const { config } = resolveConfig(
    {
      model: { model_path: "ltx.safetensors" },
      lora: {},
      data: { preprocessed_data_root: "data" },
      training_strategy: { name: "flexible", ...section },
    },
    { configDirectory: "/" },
  );
  assert.ok(config);
  const text = config === null ? "" : flexibleText(config.training_strategy, name);
  assert.equal(
    check({ path: "flexible.strategy", text }).diagnostics.map(({ message }) => message),
    [],
  );
  assert.is(format({ path: "flexible.strategy", text }).text, text);
  return text;
}

const modality = (latents_dir: string, is_generated: boolean, ...conditions: object[]) => ({
  is_generated,
  latents_dir,
  conditions,
});

test("text to video and audio says no more than it must", () => {
  const section = { video: modality("latents", true), audio: modality("audio_latents", true) };
  assert.is(
    textFor(section, "my_flexible"),
    `strategy: my_flexible
description: Generate video and audio from text.

sources:
  latents: {directory: latents, kind: video_latents}
  audio_latents: {directory: audio_latents, kind: audio_latents}
  conditions: {directory: conditions, kind: text_embeddings}

video:
  latents: latents

audio:
  latents: audio_latents
  # Its noise level is drawn on its own; \`sigma: video.sigma\` would share the video's.

loss:
  video: mse(video.prediction, video.target)
  audio: mse(audio.prediction, audio.target)
`,
  );
});

test("conditions keep their order, masks of a directory share a source, every reference has its own", () => {
  const section = {
    video: modality(
      "my latents",
      true,
      { type: "reference", latents_dir: "depth", probability: 0.5 },
      { type: "mask", mask_dir: "masks" },
      { type: "spatial_crop", spatial_region: [-8, 0, 64, 96], probability: 0.75 },
      { type: "prefix", temporal_boundary: 2 },
      { type: "mask", mask_dir: "masks", probability: 0.25 },
      { type: "mask", mask_dir: "123" },
      { type: "reference", latents_dir: "depth" },
    ),
  };
  assert.is(
    textFor(section),
    `strategy: flexible
description: >-
  Generate video from text, given a reference video (50 % of the batches), what a mask marks of the video, a rectangle
  of the picture (75 % of the samples), the first 2 latent frames, what a mask marks of the video (25 % of the samples),
  what a mask marks of the video and a reference video.

sources:
  latents: {directory: "my latents", kind: video_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  keep_mask: {directory: masks, kind: video_mask}
  keep_mask_2: {directory: "123", kind: video_mask}
  reference: {directory: depth, kind: video_latents}
  reference_2: {directory: depth, kind: video_latents}

video:
  latents: latents
  keep:
    # In its files 1 keeps and 0 generates.
    - keep_mask > 0.5
    # y1, x1, y2, x2 in pixels
    - crop(-8, 0, 64, 96) with probability 0.75
    - prefix(2)
    - keep_mask > 0.5 with probability 0.25
    - keep_mask_2 > 0.5
  # Each is put in front of what is there, so the last one comes first.
  references:
    - reference with probability 0.5
    - reference_2

loss:
  video: mse(video.prediction, video.target) over video.generated
`,
  );
});

test("what is given keeps its references and loses the conditions that mean nothing for it", () => {
  const section = {
    video: modality("latents", false, { type: "first_frame" }, { type: "reference", latents_dir: "reference_latents" }),
    audio: modality("audio_latents", true, { type: "suffix", temporal_boundary: 1, probability: 0.5 }),
  };
  assert.is(
    textFor(section),
    `strategy: flexible
description: Generate audio from text, given its video, a reference video and the last audio step (50 % of the samples).

sources:
  latents: {directory: latents, kind: video_latents}
  audio_latents: {directory: audio_latents, kind: audio_latents}
  conditions: {directory: conditions, kind: text_embeddings}
  reference: {directory: reference_latents, kind: video_latents}

video:
  latents: latents
  # Given: clean, and without a loss.
  generate: false
  references:
    - reference

audio:
  latents: audio_latents
  keep: suffix(1) with probability 0.5

loss:
  audio: mse(audio.prediction, audio.target) over audio.generated
`,
  );
});

test("a single condition stands in one line, with what is to be known of it", () => {
  const text = textFor({ video: modality("latents", true, { type: "first_frame", probability: 0.1 }) });
  assert.match(
    text,
    "  # A sample of a single frame, an image, is kept as a whole and has no loss.\n  keep: first_frame with probability 0.1\n",
  );
  assert.match(text, "given the first frame (10 % of the samples).");
});

test("audio alone, with masks and references of its own", () => {
  const conditions = [
    { type: "mask", mask_dir: "audio_masks" },
    { type: "reference", latents_dir: "true" },
  ];
  const text = textFor({ audio: modality("audio_latents", true, ...conditions) });
  assert.match(text, "  audio_keep_mask: {directory: audio_masks, kind: audio_mask}\n");
  assert.match(text, '  audio_reference: {directory: "true", kind: audio_latents}\n');
});

test.run();
