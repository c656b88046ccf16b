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

test("equal grids are the same tensor, different ones are not", () => {
  const grid = { frames: 1, height: 2, width: 3 };
  assert.is(positions.video(grid, [24]), positions.video({ ...grid }, [24]));
  assert.is.not(positions.video(grid, [24]), positions.video(grid, [25]));
  assert.is(positions.audio(3, 1), positions.audio(3, 1));
});

test.run();
