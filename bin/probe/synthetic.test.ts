import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { SourceInfo, StrategyInfo } from "../../runtime/contract.ts";
import { collate } from "../../runtime/index.ts";
import { checkGrids } from "../../runtime/data/grids.ts";
import { syntheticSamples, type Synthetic } from "./synthetic.ts";

const test = suite("synthetic samples");

const source = (name: string, kind: SourceInfo["kind"], axes?: readonly string[]): SourceInfo => ({
  name,
  kind,
  directory: name,
  ...(axes === undefined ? {} : { axes }),
});

const modality = { generated: true, text: "text" };
const strategy = {
  sources: [
    source("latents", "video_latents"),
    source("ref", "video_latents"),
    source("masks", "video_latents"),
    source("hole", "video_mask"),
    source("sound", "audio_latents"),
    source("speech", "audio_mask"),
    source("text", "text_embeddings"),
    source("dino", "tensor", ["token:video", "feature"]),
    source("flow", "tensor", ["frame:ref", "height:ref", "channel"]),
    source("mix", "tensor", ["token:audio", "channel"]),
  ],
  modalities: {
    video: { ...modality, latents: "latents", references: ["ref"] },
    audio: { ...modality, latents: "sound", references: [] },
  },
  outputs: [
    { name: "mid", kind: "tap", modality: "video", block: 0 },
    { name: "wide", kind: "linear", modality: "video", input: "mid", features: 12, activation: "silu" },
    { name: "aligned", kind: "linear", modality: "video", input: "wide", features: 9, activation: "none" },
  ],
} as unknown as StrategyInfo;

const made: Synthetic = {
  sizes: { frames: 5, height: 4, width: 6, steps: 8 },
  samples: 2,
  masks: "box",
  reference: { space: 2, time: 4 },
  seed: 1,
};

test("every source has the lengths of its axes, references are a fraction of the target", () => {
  const samples = syntheticSamples(strategy, made);
  const { sources } = collate(samples);
  const shapeOf = (name: string) => {
    const found = sources[name];
    if (found === undefined) return [];
    return "latents" in found ? found.latents.shape : "mask" in found ? found.mask.shape : found.value.shape;
  };
  assert.equal(shapeOf("latents"), [2, 4, 5, 4, 6]);
  assert.equal(shapeOf("ref"), [2, 4, 2, 2, 3]);
  assert.equal(shapeOf("hole"), [2, 120]);
  assert.equal(shapeOf("speech"), [2, 8]);
  assert.equal(shapeOf("dino"), [2, 120, 9]);
  assert.equal(shapeOf("flow"), [2, 2, 2, 4]);
  assert.equal(shapeOf("mix"), [2, 8, 6]);
  // What a run refuses, this would, too: sizes and frames per second.
  const files = Object.fromEntries(strategy.sources.map(({ name }) => [name, name]));
  for (const sample of samples) {
    checkGrids({ name: sample.name, files }, sample, [
      { target: "latents", references: ["ref"] },
      { target: "sound", references: [] },
    ]);
  }
});

test("masks are empty, full, a box or scattered, and 0 or 1", () => {
  const shareOf = (masks: Synthetic["masks"]) => {
    const [first] = syntheticSamples(strategy, { ...made, masks });
    const hole = first.sources["hole"];
    const values = hole !== undefined && "mask" in hole ? [...hole.mask.data] : [];
    assert.ok(values.every((value) => value === 0 || value === 1));
    return values.filter((value) => value === 1).length / values.length;
  };
  assert.is(shareOf("empty"), 0);
  assert.is(shareOf("full"), 1);
  assert.is(shareOf("box"), (4 * 2 * 4) / 120);
  assert.ok(shareOf("scattered") > 0.3 && shareOf("scattered") < 0.7);
});

test("the same seed gives the same samples, and no two samples are alike", () => {
  const latents = (seed: number, index: number) => {
    const found = syntheticSamples(strategy, { ...made, seed })[index]?.sources["latents"];
    return found !== undefined && "latents" in found ? [...found.latents.data] : [];
  };
  assert.equal(latents(1, 0), latents(1, 0));
  assert.not.equal(latents(1, 0), latents(2, 0));
  assert.not.equal(latents(1, 0), latents(1, 1));
});

test("a declared range is filled up to both ends, and not left", () => {
  const ranged: StrategyInfo = {
    ...strategy,
    sources: [...strategy.sources, { ...source("score", "tensor", ["token:video"]), range: [-2, 0.5] }],
  };
  for (const sample of syntheticSamples(ranged, made)) {
    const score = sample.sources["score"];
    const values = score !== undefined && "value" in score ? [...score.value.data] : [];
    assert.is(values.length, 120);
    assert.equal([Math.min(...values), Math.max(...values)], [-2, 0.5]);
    assert.ok(new Set(values).size > 100);
  }
});

test.run();
