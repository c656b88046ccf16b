import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor } from "../contract.ts";
import { cropSample } from "./crop.ts";
import type { HostSample } from "./sample.ts";

const test = suite("cropped samples");

const counted = (...shape: number[]): HostTensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: "float32", data: Float32Array.from({ length: size }, (_, i) => i) };
};
const video = (frames: number, height: number, width: number) =>
  ({
    kind: "video_latents",
    latents: counted(2, frames, height, width),
    storage: "float32",
    fps: 24,
    frames,
    height,
    width,
  }) as const;
const from = { frames: 5, height: 4, width: 4 };

function cropped(sources: HostSample["sources"], to: Partial<typeof from>) {
  return cropSample({ name: "clip", sources }, { from, to: { ...from, ...to } })?.sources ?? null;
}

test("latents keep the first frames, rows and columns of each channel", () => {
  const made = cropped({ latents: video(5, 4, 4) }, { frames: 2, height: 2, width: 2 })?.["latents"];
  if (made?.kind !== "video_latents") throw new Error("no latents");
  assert.equal(made.latents.shape, [2, 2, 2, 2]);
  assert.equal([...made.latents.data], [0, 1, 4, 5, 16, 17, 20, 21, 80, 81, 84, 85, 96, 97, 100, 101]);
  assert.equal([made.frames, made.height, made.width], [2, 2, 2]);
});

test("masks, audio and references follow", () => {
  const mask = { kind: "video_mask", mask: counted(80) } as const;
  const audio = { kind: "audio_latents", latents: counted(3, 10, 2), storage: "float32", steps: 10 } as const;
  const all = { latents: video(5, 4, 4), reference: video(5, 2, 2), mask, audio };
  const made = cropped(all, { frames: 3 });
  assert.equal(made?.["mask"]?.kind === "video_mask" && made["mask"].mask.shape, [48]);
  assert.equal(made?.["audio"]?.kind === "audio_latents" && made["audio"].latents.shape, [3, 6, 2]);
  assert.equal(made?.["reference"]?.kind === "video_latents" && made["reference"].latents.shape, [2, 3, 2, 2]);
});

test("what can not be cut in whole cells is not cut", () => {
  assert.is(cropped({ latents: video(5, 4, 4), reference: video(5, 2, 2) }, { height: 3, width: 3 }), null);
  assert.is(cropped({ latents: video(5, 4, 4), mask: { kind: "video_mask", mask: counted(7) } }, { frames: 3 }), null);
});

test.run();
