import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { VideoReference } from "../../runtime/contract.ts";
import { createPositions } from "../../runtime/model/positions.ts";
import { folders, golden, loadCase, type Case } from "../case.ts";
import { compare } from "../compare.ts";

const test = suite("positions of references");
const vectors = fileURLToPath(new URL("../vectors", import.meta.url));

function positionsOf({ manifest }: Case) {
  const [time = 8, height = 32, width = 32] = manifest["video_scale_factors"] as number[];
  return createPositions({ time, height, width });
}

function videoOf({ tensors }: Case, key: string): VideoReference {
  const sizes = (field: string) => Array.from(tensors.get(`batch.${key}.${field}`)?.data ?? []);
  const [frames = 0] = sizes("num_frames");
  const [height = 0] = sizes("height");
  const [width = 0] = sizes("width");
  const fps = sizes("fps");
  const batch = golden(tensors, `batch.${key}.latents`).shape[0] ?? 0;
  return { frames, height, width, fps: fps.length > 0 ? fps : Array.from({ length: batch }, () => 24) };
}

async function cases(keep: (name: string) => boolean): Promise<Case[]> {
  const names = (await folders(`${vectors}/strategy`)).filter(keep);
  return Promise.all(names.map((name) => loadCase(vectors, "strategy", name)));
}

test("video references of every scale, bit for bit", async () => {
  const tried = await cases((name) => /^v2v_|^flex_(ref_(?!skipped)|two_refs|v2v_ref)|_ref$|_ref_ff/.test(name));
  const replayed = tried.filter(
    ({ tensors }) => tensors.has("batch.reference_latents.latents") || tensors.has("batch.ref_latents.latents"),
  );
  assert.ok(replayed.length >= 12, `${replayed.length} cases`);
  for (const stored of replayed) {
    const isLegacy = stored.tensors.has("batch.ref_latents.latents");
    const target = videoOf(stored, isLegacy ? "latents" : "video_latents");
    const reference = videoOf(stored, isLegacy ? "ref_latents" : "reference_latents");
    const references = stored.name === "flex_two_refs" ? [reference, reference] : [reference];
    const made = positionsOf(stored).video(target, target.fps, references);
    assert.equal(compare(stored.name, made, golden(stored.tensors, "out.video.positions"), "exact"), []);
  }
});

test("audio references of any length, bit for bit", async () => {
  const replayed = (await cases((name) => name.startsWith("flex_"))).filter(({ tensors }) =>
    tensors.has("batch.reference_audio_latents.latents"),
  );
  assert.ok(replayed.length >= 3, `${replayed.length} cases`);
  for (const stored of replayed) {
    const { name, tensors } = stored;
    const [batch = 0, , steps = 0] = golden(tensors, "batch.audio_latents.latents").shape;
    const [, , reference = 0] = golden(tensors, "batch.reference_audio_latents.latents").shape;
    const made = positionsOf(stored).audio(steps, batch, [reference]);
    assert.equal(compare(name, made, golden(tensors, "out.audio.positions"), "exact"), []);
  }
});

test.run();
