import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createPositions } from "./positions.ts";

const test = suite("positions");
const positions = createPositions({ time: 8, height: 32, width: 32 });
const f32 = (...values: number[]) => Float32Array.from(values);

test("video: the first latent frame covers one pixel frame, the others eight", () => {
  const { shape, data } = positions.video({ frames: 3, height: 1, width: 1 }, [25]);
  assert.equal(shape, [1, 3, 3, 2]);
  assert.equal(data.slice(0, 6), f32(0, 0.04, 0.04, 0.36, 0.36, 0.68));
});

test("video: rows and columns in pixels, columns fastest", () => {
  const { data } = createPositions({ time: 4, height: 16, width: 32 }).video({ frames: 1, height: 2, width: 2 }, [24]);
  assert.equal(data.slice(8, 16), f32(0, 16, 0, 16, 16, 32, 16, 32));
  assert.equal(data.slice(16, 24), f32(0, 32, 32, 64, 0, 32, 32, 64));
});

test("video: each sample has its own frame rate", () => {
  const { shape, data } = positions.video({ frames: 1, height: 1, width: 1 }, [10, 20]);
  assert.equal(shape, [2, 3, 1, 2]);
  assert.equal(data, f32(0, 0.1, 0, 32, 0, 32, 0, 0.05, 0, 32, 0, 32));
});

test("audio: a hundredth of a second, then four at a time", () => {
  const { shape, data } = positions.audio(3, 2);
  assert.equal(shape, [2, 1, 3, 2]);
  assert.equal(data, f32(0, 0.01, 0.01, 0.05, 0.05, 0.09, 0, 0.01, 0.01, 0.05, 0.05, 0.09));
});

test("video: a reference of a quarter of the pixels and half the frame rate stands in front, on the target's grid", () => {
  const half = { frames: 2, height: 1, width: 1, fps: [4] };
  const { shape, data } = positions.video({ frames: 3, height: 2, width: 2 }, [8], [half]);
  assert.equal(shape, [1, 3, 14, 2]);
  // [0, 1/4) and [1/4, 9/4) by its own clock, an eighth of a second earlier.
  assert.equal(data.slice(0, 6), f32(0, 0.125, 0.125, 2.125, 0, 0.125));
  assert.equal(data.slice(28, 36), f32(0, 64, 0, 64, 0, 32, 0, 32));
});

test("video: each sample's reference follows that sample's frame rates", () => {
  const reference = { frames: 1, height: 1, width: 1, fps: [5, 20] };
  const { data } = positions.video({ frames: 1, height: 1, width: 1 }, [10, 20], [reference]);
  assert.equal(data.slice(0, 4), f32(0, 0.2, 0, 0.1));
  assert.equal(data.slice(12, 16), f32(0, 0.05, 0, 0.05));
});

test("audio: references keep their own times", () => {
  const { shape, data } = positions.audio(1, 2, [2]);
  assert.equal(shape, [2, 1, 3, 2]);
  assert.equal(data, f32(0, 0.01, 0.01, 0.05, 0, 0.01, 0, 0.01, 0.01, 0.05, 0, 0.01));
});

test("equal grids are the same tensor, different ones are not", () => {
  const grid = { frames: 1, height: 2, width: 3 };
  assert.is(positions.video(grid, [24]), positions.video({ ...grid }, [24]));
  assert.is.not(positions.video(grid, [24]), positions.video(grid, [25]));
  assert.is(positions.audio(3, 1), positions.audio(3, 1));
  const reference = { ...grid, fps: [24] };
  assert.is(positions.video(grid, [24], [reference]), positions.video(grid, [24], [{ ...reference }]));
  assert.is.not(positions.video(grid, [24], [reference]), positions.video(grid, [24]));
  assert.is.not(positions.audio(3, 1, [2]), positions.audio(2, 1, [3]));
});

test.run();
