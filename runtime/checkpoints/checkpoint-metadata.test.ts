import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Sizes, Step } from "../contract.ts";
import { FindingsError } from "../findings.ts";
import { checkpointMetadata, runMetadata } from "./checkpoint-metadata.ts";

const test = suite("checkpoint metadata");
const grid = (frames: number, height: number, width: number) => ({ frames, height, width, steps: 0 });

/** A strategy with a reference `depth` that writes its frames and `own`. */
function run(own: Readonly<Record<string, string>> = {}, optional = false) {
  const modalities = { video: { latents: "clip", references: ["depth"] }, audio: null };
  const metadata = (_: unknown, { clip }: Sizes) => ({ frames: `${clip?.frames}`, ...own });
  return {
    step: { strategy: { modalities, sources: [{ name: "depth", optional }] }, metadata } as unknown as Step,
    params: {},
  };
}

const batch = (clip: Sizes[string], depth: Sizes[string]) => ({ names: ["a.pt"], sizes: { clip, depth } });
const half = batch(grid(5, 4, 6), grid(5, 2, 3));

test("says in how many bits the base really was: a checkpoint in fp8 is not quantized once more", () => {
  const said = (fingerprint: Readonly<Record<string, string>>) => {
    const step = { strategy: { compiler: "1", name: "s", sourceHash: "h" } };
    const config = { model: { model_path: "/models/m.safetensors" } };
    const own = { id: "r", step, config, fingerprint } as unknown as Parameters<typeof runMetadata>[0];
    return runMetadata(own, 1)["ltxc.base_model_quantization"];
  };
  const quantization = "int8-quanto";
  assert.equal([{}, { quantization }, { base_stored: "fp8" }, { base_stored: "fp8", quantization }].map(said), [
    undefined,
    "int8-quanto",
    "fp8",
    "fp8",
  ]);
});

test("has the references' scale beside what the strategy writes, which wins", () => {
  const scale = { reference_downscale_factor: "2", reference_spatial_scale_factor: "2" };
  assert.equal(checkpointMetadata(run(), half, null), { ...scale, frames: "5" });
  const own = { reference_downscale_factor: "4" };
  assert.equal(checkpointMetadata(run(own), half, null), { ...scale, ...own, frames: "5" });
});

test("batches without an optional reference say nothing of its scale", () => {
  const [without, scale] = [{ ...half, lacks: ["depth"] }, "reference_downscale_factor"];
  const first = checkpointMetadata(run({}, true), without, null);
  assert.equal(first, { frames: "5" });
  const known = checkpointMetadata(run({}, true), half, first);
  assert.is(known[scale], "2");
  assert.equal(checkpointMetadata(run({}, true), without, known), known);
});

test("holds for all batches: values that change, appear or vanish end the run", () => {
  const earlier = checkpointMetadata(run(), half, null);
  assert.equal(checkpointMetadata(run(), batch(grid(5, 8, 8), grid(5, 4, 4)), earlier), earlier);
  const messageOf = (other: typeof half, before = earlier) => {
    try {
      return JSON.stringify(checkpointMetadata(run(), other, before));
    } catch (error) {
      if (!(error instanceof FindingsError)) throw error;
      return error.findings.map(({ code, message }) => `${code} ${message}`).join();
    }
  };
  assert.match(messageOf(batch(grid(9, 4, 6), grid(9, 2, 3))), /^LTX7006 a\.pt: .* `frames` would be 9, .* it was 5$/);
  const whole = batch(grid(5, 4, 6), grid(5, 4, 6));
  assert.match(messageOf(whole), /`reference_downscale_factor` would be left out, for earlier samples it was 2$/);
  const unscaled = checkpointMetadata(run(), whole, null);
  assert.match(messageOf(half, unscaled), /`reference_downscale_factor` would be 2, .* it was left out$/);
});

test.run();
