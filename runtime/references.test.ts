import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { StrategyInfo } from "./contract.ts";
import { referenceFactors, referenceMetadata } from "./references.ts";

const test = suite("references");
const grid = (frames: number, height: number, width: number) => ({ frames, height, width });

test("a reference is a fraction in space and in time", () => {
  assert.equal(referenceFactors(grid(5, 4, 6), grid(5, 4, 6)), { space: 1, time: 1 });
  assert.equal(referenceFactors(grid(5, 4, 6), grid(3, 2, 3)), { space: 2, time: 2 });
  assert.equal(referenceFactors(grid(4, 4, 2), grid(2, 4, 2)), { space: 1, time: 3 });
});

test("a single frame has no extent in time", () => {
  assert.equal(referenceFactors(grid(5, 4, 6), grid(1, 4, 6)), { space: 1, time: 1 });
  assert.equal(referenceFactors(grid(1, 4, 6), grid(5, 4, 6)), { space: 1, time: 1 });
});

test("larger references, different factors of the axes and remainders are no fractions", () => {
  const target = grid(5, 4, 6);
  for (const other of [grid(5, 8, 12), grid(5, 2, 6), grid(5, 4, 3), grid(5, 3, 6), grid(4, 4, 6), grid(9, 4, 6)]) {
    assert.is(referenceFactors(target, other), null);
  }
});

const strategy = (references: readonly string[]) =>
  ({ modalities: { video: { latents: "clip", references }, audio: null } }) as unknown as StrategyInfo;

test("factors other than 1 are written, under the official names", () => {
  const clip = { ...grid(5, 4, 6), steps: 0 };
  const written = (...size: [number, number, number]) =>
    referenceMetadata(strategy(["depth"]), { clip, depth: { ...grid(...size), steps: 0 } });
  assert.equal(written(5, 4, 6), {});
  assert.equal(written(3, 4, 6), { reference_temporal_scale_factor: "2" });
  assert.equal(written(5, 2, 3), { reference_downscale_factor: "2", reference_spatial_scale_factor: "2" });
  assert.equal(referenceMetadata(strategy([]), { clip }), {});
  const both = (depth: readonly [number, number, number], style: readonly [number, number, number]) => {
    const sizes = { clip, depth: { ...grid(...depth), steps: 0 }, style: { ...grid(...style), steps: 0 } };
    return referenceMetadata(strategy(["depth", "style"]), sizes);
  };
  assert.equal(both([3, 4, 6], [3, 4, 6]), { reference_temporal_scale_factor: "2" });
  assert.equal(both([5, 2, 3], [5, 4, 6]), {
    "ltxc.references": '[{"source":"depth","space":2,"time":1},{"source":"style","space":1,"time":1}]',
  });
});

test.run();
