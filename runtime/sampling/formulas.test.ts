import { inflateSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostTensor, Tensor } from "../contract.ts";
import { openEngine } from "../engine/index.ts";
import { cleanGuess, eulerStep, guide, neutral } from "./guidance.ts";
import { encodePng } from "../media/png.ts";
import { audioPreview, videoPreview } from "./preview.ts";
import { sigmaSchedule } from "./noise-schedule.ts";
import { audioLatents, audioTokens, videoLatents, videoTokens } from "./tokens.ts";

const test = suite("sampling formulas");
const { engine } = await openEngine("cpu");
const { ops } = engine;

const host = (shape: readonly number[], values: readonly number[]): HostTensor => ({
  shape,
  dtype: "float32",
  data: Float32Array.from(values),
});
const tensor = (...values: readonly number[]): Tensor => ops.constant(host([1, values.length, 1], values));

function near(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-6): void {
  assert.is(actual.length, expected.length);
  expected.forEach((value, i) =>
    assert.ok(Math.abs((actual[i] ?? Number.NaN) - value) <= tolerance, `[${i}] ${actual[i]}, expected ${value}`),
  );
}

async function values(make: () => Tensor): Promise<ArrayLike<number>> {
  const x = engine.tidy(make);
  const { data } = await engine.read(x);
  engine.dispose(x);
  return data;
}

test("noise levels are those of the official sampler", () => {
  near(sigmaSchedule(4), [1, 0.867083, 0.631569, 0.1, 0]);
  near(sigmaSchedule(8), [1, 0.965712, 0.921875, 0.863856, 0.783445, 0.664579, 0.471003, 0.1, 0]);
  assert.equal(sigmaSchedule(1), [1, 0]);
});

// c = (1, 3), negative (0, 1), perturbed (2, 2), isolated (1, 0):
// 3 (c - negative) = (3, 6), 2 (c - perturbed) = (-2, 2), 0.5 (c - isolated) = (0, 1.5).
const guesses = () => ({
  conditional: tensor(1, 3),
  negative: tensor(0, 1),
  perturbed: tensor(2, 2),
  isolated: tensor(1, 0),
});

test("guidance leads away from each of the worse guesses by its own scale", async () => {
  const guided = (scales: Partial<typeof neutral>) => values(() => guide(ops, guesses(), { ...neutral, ...scales }, 0));
  near(await guided({}), [1, 3]);
  near(await guided({ cfg: 4 }), [4, 9]);
  near(await guided({ stg: 2 }), [-1, 5]);
  near(await guided({ modality: 1.5 }), [1, 4.5]);
  near(await guided({ cfg: 4, stg: 2, modality: 1.5 }), [2, 12.5]);
});

test("rescaling goes back to the spread of the unguided guess", async () => {
  // std(1, 3) = sqrt(2), std(4, 9) = 5 / sqrt(2): their ratio is 0.4.
  const rescaled = (share: number) => values(() => guide(ops, guesses(), { ...neutral, cfg: 4 }, share));
  near(await rescaled(1), [1.6, 3.6]);
  near(await rescaled(0.5), [2.8, 6.3]);
});

test("a guess that was not made counts for nothing", async () => {
  const only = () => ({ conditional: tensor(1, 3), negative: null, perturbed: null, isolated: null });
  near(await values(() => guide(ops, only(), { cfg: 4, stg: 2, modality: 3 }, 0.7)), [1, 3]);
});

test("the clean guess goes back along the velocity, by each token's own level", async () => {
  near(await values(() => cleanGuess(ops, tensor(5, 5), tensor(2, 2), tensor(0.5, 0))), [4, 5]);
});

test("a step of Euler's method is the share of the way to the clean sample", async () => {
  const from = (sigma: number, next: number) => ({ sigma: tensor(sigma), change: tensor(next - sigma) });
  near(await values(() => eulerStep(ops, tensor(4, 1), tensor(2, 1), from(0.8, 0.6))), [3.5, 1]);
  near(await values(() => eulerStep(ops, tensor(4, 1), tensor(2, 1), from(0.8, 0))), [2, 1]);
});

test("video tokens run through columns, rows and frames, audio tokens hold the bins of each channel", () => {
  const video = host([2, 1, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal([...videoTokens(video).data], [1, 5, 2, 6, 3, 7, 4, 8]);
  assert.equal(videoLatents(videoTokens(video), { frames: 1, height: 2, width: 2 }), video);
  const audio = host([2, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.equal([...audioTokens(audio).data], [1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12]);
  assert.equal(audioLatents(audioTokens(audio), 2), audio);
});

/** Width, height and pixels of a PNG without filters. */
function decodePng(png: Buffer): { width: number; height: number; at: (x: number, y: number) => number } {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const length = png.readUInt32BE(33);
  assert.is(png.toString("latin1", 37, 41), "IDAT");
  const rows = inflateSync(png.subarray(41, 41 + length));
  assert.is(rows.length, height * (width + 1));
  return { width, height, at: (x, y) => rows[y * (width + 1) + 1 + x] ?? -1 };
}

test("a PNG has its size, its pixels and the checksums of the recommendation", () => {
  const png = encodePng({ width: 3, height: 2, pixels: Uint8Array.from([1, 2, 3, 4, 5, 6]) });
  const { width, height, at } = decodePng(png);
  assert.equal([width, height, at(0, 0), at(2, 0), at(0, 1), at(2, 1)], [3, 2, 1, 3, 4, 6]);
  // The end chunk is the same in every PNG file.
  assert.is(png.subarray(-12).toString("hex"), "0000000049454e44ae426082");
});

test("a preview has a tile per channel, from black to white, with the reference on its left", () => {
  // The second of three frames is the middle one.
  const video = host([1, 3, 1, 2], [9, 9, 0, 10, 9, 9]);
  const picture = (beside: readonly HostTensor[]) => decodePng(encodePng(videoPreview(video, beside)));
  const alone = picture([]);
  assert.equal([alone.width, alone.height], [2 * 32 + 4, 32 + 4]);
  assert.equal([alone.at(0, 0), alone.at(2, 2), alone.at(34, 33)], [24, 0, 255]);
  const reference = host([1, 1, 1, 1], [5]);
  const pair = picture([reference]);
  assert.equal([pair.width, pair.at(2, 2), pair.at(34, 2), pair.at(66, 2)], [3 * 32 + 4, 128, 0, 255]);
});

test("low bins of audio are at the bottom", () => {
  const { at, height } = decodePng(encodePng(audioPreview(host([2, 1, 2], [0, 1, 5, 4]))));
  assert.equal([at(2, 2), at(2, height - 3)], [255, 0]);
  const second = 2 + 16 + 2;
  assert.equal([at(second, 2), at(second, height - 3)], [0, 255]);
});

test.run();
