import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { StrategyInfo } from "../contract.ts";
import type { Outline } from "../opening/look-at-samples.ts";
import type { OpenedData } from "../opening/open-data.ts";
import { surveyOf } from "./survey.ts";

const test = suite("survey");

const outline = (grid: readonly number[], fps: number): Outline => ({
  sample: { name: "", files: {} },
  sources: {
    latents: { kind: "video_latents", grid, fps, storage: "bfloat16" },
    depth: { kind: "video_latents", grid: [1, 2, 2], fps: 24, storage: "float32" },
    text: { kind: "text_embeddings", tokens: 128 },
  },
});

test("sizes, frame rates and captions, the commonest first", () => {
  const modalities = {
    video: { generated: true, latents: "latents", text: "text", references: ["depth"] },
    audio: null,
  };
  const outlines = [outline([1, 4, 4], 24), outline([4, 16, 16], 25), outline([4, 16, 16], 24)];
  const skipped = [{ name: "b.pt", reason: "conditions/b.pt is missing" }];
  const data = { dataset: { samples: [{}, {}], skipped }, heldOut: [{}], outlines } as unknown as OpenedData;
  const survey = surveyOf({ modalities } as unknown as StrategyInfo, data);
  assert.equal(
    { ...survey, sizes: [] },
    {
      training: 2,
      heldOut: 1,
      skipped,
      lookedAt: 3,
      sizes: [],
      framesPerSecond: [
        { value: 24, samples: 2 },
        { value: 25, samples: 1 },
      ],
      captions: [{ value: 128, samples: 3, source: "text" }],
      datasets: [],
    },
  );
  const sizes = survey.sizes.map(({ value: { source, tokens, shift }, samples }) => [source, tokens, shift, samples]);
  assert.equal(sizes[0], ["depth", 4, null, 3]);
  // 1024 tokens are where the shift is 0.95 by definition.
  assert.equal(sizes[1]?.slice(0, 2), ["latents", 1024]);
  assert.ok(Math.abs((sizes[1]?.[2] as number) - 0.95) < 1e-9);
  assert.is(sizes[2]?.[3], 1);
});

test.run();
