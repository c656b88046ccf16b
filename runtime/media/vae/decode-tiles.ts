import type { HostTensor, Tensor } from "../../contract.ts";
import type { Engine } from "../../engine/engine.ts";
import { Blend } from "./blend.ts";
import { framesOf, pixelsOf, tilesInSpace, tilesInTime, type Tile, type Tiling } from "./tiles.ts";
import type { VideoDecoder } from "./video-vae.ts";

/**
 * Decodes a latent `[C, f, h, w]` tile by tile, and gives its frames in order, a few at a time: each `[3, H, W]` in about -1..1. Memory does
 * not depend on the number of frames if they are cut into tiles.
 */
export async function* decodeTiles(
  engine: Engine,
  decoder: VideoDecoder,
  latent: HostTensor,
  tiling: Tiling,
): AsyncGenerator<Float32Array[]> {
  const [, frames = 0, rows = 0, columns = 0] = latent.shape;
  const { time, height, width } = decoder.scaleFactors;
  const inTime = tilesInTime(frames, tiling.frames, time);
  const inRows = tilesInSpace(rows, tiling.height, height);
  const inColumns = tilesInSpace(columns, tiling.width, width);
  const blend = new Blend(3, rows * height, columns * width);
  for (const [i, t] of inTime.entries()) {
    for (const y of inRows) {
      for (const x of inColumns) {
        const pixels = await runOne(engine, cut(latent, t, y, x), (tile) => decoder.decode(tile));
        blend.add(pixels.data, framesOf(t, time), pixelsOf(y, height), pixelsOf(x, width));
      }
    }
    const next = inTime[i + 1];
    yield blend.take(next === undefined ? 1 + (frames - 1) * time : framesOf(next, time).start);
  }
}

/** Computes with one clip, `[C, frames, rows, columns]` before and after; `run` takes and gives batches. */
export async function runOne(
  engine: Engine,
  clip: HostTensor,
  run: (batch: Tensor) => Promise<Tensor>,
): Promise<HostTensor> {
  const given = engine.keep({ ...clip, shape: [1, ...clip.shape] });
  try {
    const made = await run(given);
    const read = await engine.read(made);
    engine.dispose(made);
    return { ...read, shape: read.shape.slice(1) };
  } finally {
    engine.dispose(given);
  }
}

/** A part of `[C, frames, rows, columns]`. */
export function cut({ shape, data }: HostTensor, t: Bounds, y: Bounds, x: Bounds): HostTensor {
  const [channels = 0, frames = 0, rows = 0, columns = 0] = shape;
  const size = [channels, t.end - t.start, y.end - y.start, x.end - x.start] as const;
  const own = new Float32Array(size.reduce((a, b) => a * b, 1));
  let to = 0;
  for (let c = 0; c < channels; c++) {
    for (let i = t.start; i < t.end; i++) {
      for (let j = y.start; j < y.end; j++) {
        const from = ((c * frames + i) * rows + j) * columns;
        own.set(data.subarray(from + x.start, from + x.end), to);
        to += size[3];
      }
    }
  }
  return { shape: size, dtype: "float32", data: own };
}

type Bounds = Pick<Tile, "start" | "end">;
