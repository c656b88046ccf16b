import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ValidationCondition } from "../config/index.ts";
import type { HostTensor } from "../contract.ts";
import { FindingsError } from "../findings.ts";
import { giveAudio, giveVideo, referenceTokens } from "./conditions.ts";
import { emptyTarget } from "./target.ts";

const test = suite("conditions of samples");
const scale = { time: 8, height: 32, width: 32 };
const grid = { frames: 3, height: 2, width: 2 };
const place = ["validation", "samples", 0, "conditions", 0];

const counting = (shape: readonly number[]): HostTensor => ({
  shape,
  dtype: "float32",
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
});

/** One channel, in which each token is its number, counted from 1. */
const video = (frames: number, height = 2, width = 2) => ({
  kind: "video_latents" as const,
  latents: counting([1, frames, height, width]),
  storage: "bfloat16" as const,
  frames,
  height,
  width,
  fps: 24,
});
const audio = (steps: number) => ({
  kind: "audio_latents" as const,
  latents: counting([1, steps, 1]),
  storage: "float32" as const,
  steps,
});
const maskOf = (...values: readonly number[]) => ({
  kind: "video_mask" as const,
  mask: { shape: [values.length], dtype: "float32" as const, data: Float32Array.from(values) },
});

/** The target's tokens, a dot for each that is generated. */
const shown = ({ clean, denoise }: ReturnType<typeof emptyTarget>): string =>
  Array.from(clean, (value, i) => (denoise[i] === 1 ? "." : String(value))).join(" ");

function givenVideo(
  condition: ValidationCondition,
  latents = video(3),
  mask: ReturnType<typeof maskOf> | null = null,
): string {
  const target = emptyTarget(12, 1);
  giveVideo(target, grid, { condition, place, latents, mask }, scale);
  return shown(target);
}

function givenAudio(condition: ValidationCondition, steps: number, mask: ReturnType<typeof maskOf> | null = null) {
  const target = emptyTarget(5, 1);
  giveAudio(target, { condition, place, latents: audio(steps), mask });
  return shown(target);
}

function refused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof FindingsError)) throw error;
    const [found] = error.findings;
    assert.equal([error.findings.length, found?.code, found?.path], [1, "LTX6331", place]);
    return found?.message ?? "";
  }
  return assert.unreachable("nothing was refused") ?? "";
}

test("a first frame is the latents' first one, however long they are", () => {
  assert.is(givenVideo({ type: "first_frame", image_or_video: "" }), "1 2 3 4 . . . . . . . .");
  assert.is(givenVideo({ type: "first_frame", image_or_video: "" }, video(1)), "1 2 3 4 . . . . . . . .");
});

test("a prefix is counted in pixel frames, of which the first latent frame covers one", () => {
  assert.is(givenVideo({ type: "prefix", video: "", num_frames: 9 }), "1 2 3 4 5 6 7 8 . . . .");
  assert.is(givenVideo({ type: "prefix", video: "" }, video(1)), "1 2 3 4 . . . . . . . .");
  assert.match(
    refused(() => givenVideo({ type: "prefix", video: "", num_frames: 8 })),
    "8 frames does not end",
  );
  assert.match(
    refused(() => givenVideo({ type: "prefix", video: "", num_frames: 25 })),
    "4 latent frames, the file has 3",
  );
});

test("a suffix is the end of the file, in whole latent frames", () => {
  assert.is(givenVideo({ type: "suffix", video: "", num_frames: 8 }), ". . . . . . . . 9 10 11 12");
  assert.is(givenVideo({ type: "suffix", video: "", num_frames: 8 }, video(5)), ". . . . . . . . 17 18 19 20");
  assert.match(
    refused(() => givenVideo({ type: "suffix", video: "", num_frames: 9 })),
    "9 frames does not end",
  );
});

test("a spatial crop keeps the cells of its region in every frame", () => {
  const crop = (...spatial_region: readonly number[]) =>
    givenVideo({ type: "spatial_crop", video: "", spatial_region });
  assert.is(crop(0, 32, 64, 64), ". 2 . 4 . 6 . 8 . 10 . 12");
  assert.is(crop(32, 0, 999, 63), ". . 3 . . . 7 . . . 11 .");
});

test("a mask keeps what is above a half", () => {
  const half = maskOf(1, 0, 0.5, 0.6, 0, 0, 0, 0, 0, 0, 0, 1);
  assert.is(givenVideo({ type: "mask", video: "", mask: "" }, video(3), half), "1 . . 4 . . . . . . . 12");
  assert.match(
    refused(() => givenVideo({ type: "mask", video: "", mask: "" }, video(3), maskOf(1))),
    "1 values",
  );
});

test("a whole video is given whole", () => {
  assert.is(givenVideo({ type: "video_to_audio", video: "" }), "1 2 3 4 5 6 7 8 9 10 11 12");
  assert.match(
    refused(() => givenVideo({ type: "video_to_audio", video: "" }, video(2))),
    "2 x 2 x 2 latent cells",
  );
});

test("a condition of another size is refused", () => {
  assert.match(
    refused(() => givenVideo({ type: "first_frame", image_or_video: "" }, video(3, 2, 3))),
    "the condition has 3 x 2 x 3 latent cells, the sample 3 x 2 x 2 latent cells",
  );
});

test("audio is counted in seconds, 25 latent steps each", () => {
  assert.is(givenAudio({ type: "prefix", audio: "", duration: 0.08 }, 4), "1 2 . . .");
  assert.is(givenAudio({ type: "suffix", audio: "", duration: 0.08 }, 4), ". . . 3 4");
  assert.is(givenAudio({ type: "prefix", audio: "" }, 9), "1 2 3 4 5");
  assert.is(givenAudio({ type: "audio_to_video", audio: "" }, 6), "1 2 3 4 5");
  assert.is(givenAudio({ type: "mask", audio: "", mask: "" }, 5, maskOf(0, 1, 0, 0, 1)), ". 2 . . 5");
  assert.match(
    refused(() => givenAudio({ type: "prefix", audio: "", duration: 1 }, 4)),
    "25 latent steps, the file has 4",
  );
  assert.match(
    refused(() => givenAudio({ type: "audio_to_video", audio: "" }, 4)),
    "4 latent steps of audio, the sample 5",
  );
});

test("a reference has the size that its factors declare", () => {
  const tokens = (condition: Partial<ValidationCondition>, latents = video(3, 1, 1)) =>
    referenceTokens({ condition: { type: "reference", video: "", ...condition }, place, latents, mask: null }, grid);
  assert.equal([...tokens({ downscale_factor: 2 }).data], [1, 2, 3]);
  assert.equal([...tokens({ downscale_factor: 2, temporal_scale_factor: 2 }, video(2, 1, 1)).data], [1, 2]);
  assert.equal([...tokens({}, video(1)).data], [1, 2, 3, 4]);
  assert.match(
    refused(() => tokens({})),
    "3 x 1 x 1 latent cells, which is not what `downscale_factor: 1`",
  );
  assert.match(
    refused(() => tokens({ downscale_factor: 2 }, video(2, 1, 1))),
    "`temporal_scale_factor: 1`",
  );
});

test.run();
