import type { HostTensor, Positions, ScaleFactors, VideoGrid } from "../contract.ts";

/** Audio latents: 16 kHz samples, a hop of 160, 4 spectrogram frames per latent step. */
const audioRate = 16000;
const audioHop = 160;
const audioFactor = 4;

/** As many different grids as a run is likely to meet; beyond it the oldest is made anew. */
const cacheSize = 64;

/**
 * Positions of latent cells under the checkpoint's scale factors. Equal grids give the very same host tensor, by which the
 * rotary tables made from it are found again.
 */
export function createPositions(scale: ScaleFactors): Positions {
  const known = new Map<string, HostTensor>();
  const once = (key: string, make: () => HostTensor): HostTensor => {
    const made = known.get(key) ?? make();
    known.delete(key);
    known.set(key, made);
    const [oldest] = known.keys();
    if (known.size > cacheSize && oldest !== undefined) known.delete(oldest);
    return made;
  };
  return {
    video: (grid, fps) =>
      once(`${grid.frames} ${grid.height} ${grid.width} ${fps.join()}`, () => videoPositions(scale, grid, fps)),
    audio: (steps, batchSize) => once(`audio ${steps} ${batchSize}`, () => audioPositions(steps, batchSize)),
  };
}

/** `[B, 3, F*H*W, 2]`: seconds, pixel rows, pixel columns. The first latent frame covers one pixel frame, the others `scale.time`. */
function videoPositions(scale: ScaleFactors, grid: VideoGrid, fps: readonly number[]): HostTensor {
  const { frames, height, width } = grid;
  const tokens = frames * height * width;
  const data = new Float32Array(fps.length * 3 * tokens * 2);
  const pixelFrame = (f: number) => Math.max(f * scale.time + 1 - scale.time, 0);
  fps.forEach((rate, sample) => {
    for (let token = 0; token < tokens; token++) {
      const w = token % width;
      const h = Math.floor(token / width) % height;
      const f = Math.floor(token / (width * height));
      const put = (axis: number, start: number, end: number) =>
        data.set([start, end], ((sample * 3 + axis) * tokens + token) * 2);
      // One float32 division: the quotient of two float32 numbers, rounded once.
      put(0, pixelFrame(f) / Math.fround(rate), pixelFrame(f + 1) / Math.fround(rate));
      put(1, h * scale.height, (h + 1) * scale.height);
      put(2, w * scale.width, (w + 1) * scale.width);
    }
  });
  return { shape: [fps.length, 3, tokens, 2], dtype: "float32", data };
}

/** `[B, 1, T, 2]`: seconds. The audio encoder is causal, so the first step covers a single spectrogram frame. */
function audioPositions(steps: number, batchSize: number): HostTensor {
  const data = new Float32Array(batchSize * steps * 2);
  for (let sample = 0; sample < batchSize; sample++) {
    for (let i = 0; i < steps; i++) data.set([seconds(i), seconds(i + 1)], (sample * steps + i) * 2);
  }
  return { shape: [batchSize, 1, steps, 2], dtype: "float32", data };
}

/** Where the i-th latent step of audio begins. */
function seconds(i: number): number {
  return (Math.max(audioFactor * (i - 1) + 1, 0) * audioHop) / audioRate;
}
