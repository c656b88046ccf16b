import type { HostTensor, Positions, ScaleFactors, VideoGrid, VideoReference } from "../contract.ts";
import { referenceFactors, type ReferenceFactors } from "../references.ts";

const { fround } = Math;

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
    video(grid, fps, references = []) {
      const key = [{ ...grid, fps }, ...references].map(keyOf).join(";");
      return once(key, () => videoPositions(scale, { ...grid, fps }, references));
    },
    audio(steps, batchSize, references = []) {
      const parts = [...references, steps];
      return once(`audio ${batchSize}: ${parts.join()}`, () => audioPositions(parts, batchSize));
    },
  };
}

const keyOf = ({ frames, height, width, fps }: VideoReference): string => `${frames} ${height} ${width} ${fps.join()}`;

/** `[B, 3, T, 2]`: seconds, pixel rows, pixel columns; the references' tokens in front of the target's. */
function videoPositions(
  scale: ScaleFactors,
  target: VideoReference,
  references: readonly VideoReference[],
): HostTensor {
  const parts = [...references, target].map((video) => ({ video, factors: factorsOf(target, video) }));
  const tokens = parts.reduce((sum, { video }) => sum + sizeOf(video), 0);
  const data = new Float32Array(target.fps.length * 3 * tokens * 2);
  target.fps.forEach((fps, sample) => {
    let first = 0;
    for (const { video, factors } of parts) {
      const put = (axis: number, token: number, bounds: Bounds) =>
        data.set(bounds, ((sample * 3 + axis) * tokens + first + token) * 2);
      putVideo(put, video, {
        time: secondsOf(scale, fround(video.fps[sample] ?? fps), fround((factors.time - 1) * fround(1 / fround(fps)))),
        row: (h) => pixels(h, scale.height * factors.space),
        column: (w) => pixels(w, scale.width * factors.space),
      });
      first += sizeOf(video);
    }
  });
  return { shape: [target.fps.length, 3, tokens, 2], dtype: "float32", data };
}

const sizeOf = ({ frames, height, width }: VideoGrid): number => frames * height * width;

function factorsOf(target: VideoGrid, video: VideoGrid): ReferenceFactors {
  const factors = referenceFactors(target, video);
  // Reading the data refuses it first.
  if (factors === null) throw new RangeError("a reference that is no exact fraction of its target");
  return factors;
}

type Bounds = readonly [start: number, end: number];

const pixels = (cell: number, size: number): Bounds => [cell * size, (cell + 1) * size];

/**
 * When latent frame `f` is seen: the first one covers one pixel frame, the others `scale.time`. A reference with fewer frames per
 * second has a longer first frame; all its times move back by `lead` seconds, so that it covers the target's first frame alone.
 */
function secondsOf(scale: ScaleFactors, fps: number, lead: number): (f: number) => Bounds {
  const start = (f: number): number => {
    // One float32 division: the quotient of two float32 numbers, rounded once.
    const own = fround(Math.max(f * scale.time + 1 - scale.time, 0) / fps);
    return Math.max(own - lead, 0);
  };
  return (f) => [start(f), start(f + 1)];
}

/** Writes the bounds of each token of a grid, columns fastest. */
function putVideo(
  put: (axis: number, token: number, bounds: Bounds) => void,
  { frames, height, width }: VideoGrid,
  bounds: Readonly<Record<"time" | "row" | "column", (cell: number) => Bounds>>,
): void {
  for (let token = 0; token < frames * height * width; token++) {
    put(0, token, bounds.time(Math.floor(token / (width * height))));
    put(1, token, bounds.row(Math.floor(token / width) % height));
    put(2, token, bounds.column(token % width));
  }
}

/**
 * `[B, 1, T, 2]`: seconds, of sequences with this many steps in a row, each from 0 on. The audio encoder is causal, so
 * the first step covers a single spectrogram frame.
 */
function audioPositions(parts: readonly number[], batchSize: number): HostTensor {
  const bounds = parts.flatMap((steps) => Array.from({ length: steps }, (_, i) => [seconds(i), seconds(i + 1)])).flat();
  const data = new Float32Array(batchSize * bounds.length);
  for (let sample = 0; sample < batchSize; sample++) data.set(bounds, sample * bounds.length);
  return { shape: [batchSize, 1, bounds.length / 2, 2], dtype: "float32", data };
}

/** Where the i-th latent step of audio begins. */
function seconds(i: number): number {
  return (Math.max(audioFactor * (i - 1) + 1, 0) * audioHop) / audioRate;
}
