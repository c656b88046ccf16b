import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Engine } from "../../runtime/engine/engine.ts";
import { replayRefusals } from "./strategy-refusals.ts";

const test = suite("refusals of config classes");

function replay(what: string, config: object, raises: string | null) {
  const manifest = { items: [{ name: "item", what, config, raises }] };
  return replayRefusals({ group: "strategy", name: "x", directory: "", manifest, tensors: new Map() }, {} as Engine);
}

const right = [
  ["InpaintingConfig", { mask_threshold: 0.3 }],
  ["TextToVideoConfig", { first_frame_conditioning_p: 0.5, with_audio: true, audio_latents_dir: "sound" }],
  ["VideoToVideoConfig", { name: "video_to_video", reference_latents_dir: "references" }],
  ["FlexibleStrategyConfig", { audio: { is_generated: true, latents_dir: "sound", conditions: [] } }],
] as const;

const wrong = [
  ["InpaintingConfig", { mask_threshold: 1.5 }],
  ["InpaintingConfig", { threshold: 0.5 }],
  ["TextToVideoConfig", { first_frame_conditioning_p: -0.1 }],
  ["VideoToVideoConfig", { reference_latents_dir: 3 }],
  ["VideoToVideoConfig", { name: "text_to_video" }],
  ["FlexibleStrategyConfig", {}],
] as const;

test("what each class accepts is accepted, and must not be expected to be refused", async () => {
  for (const [what, config] of right) {
    assert.equal(await replay(what, config, null), [], what);
    assert.equal(await replay(what, config, "ValidationError"), ["item: should be refused"], what);
  }
});

test("what each class refuses is refused, and must not be expected to be accepted", async () => {
  for (const [what, config] of wrong) {
    assert.equal(await replay(what, config, "ValidationError"), [], what);
    assert.equal(await replay(what, config, null), ["item: should not be refused"], what);
  }
});

test("an unknown class is an error, not a case left out", async () => {
  try {
    await replay("SomeConfig", {}, null);
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, "no strategy stands for SomeConfig");
  }
});

test.run();
