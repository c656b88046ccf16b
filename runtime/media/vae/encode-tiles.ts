/** Encoding a clip as a whole, piece by piece, and in tiles of rows and columns. Clips are `[3, F, H, W]`, latents `[C, f, h, w]`. */
import type { HostTensor, ScaleFactors, Tensor } from "../../contract.ts";
import type { Engine } from "../../engine/engine.ts";
import { Blend, totalWeights } from "./blend.ts";
import { cut } from "./cut.ts";
import type { Range } from "./tiles.ts";
import type { VideoEncoder } from "./video-vae.ts";

/** Encodes the pieces of a clip, one after another. */
export interface ClipEncoding {
  encode(pixels: HostTensor): Promise<HostTensor>;
  dispose(): void;
}

/** For a clip that comes all at once. */
export function encodeWhole(engine: Engine, encoder: VideoEncoder): ClipEncoding {
  return { encode: (pixels) => runOne(engine, pixels, (batch) => encoder.encode(batch)), dispose: () => undefined };
}

/** For a clip that comes in pieces; not for a VAE that needs the whole clip. */
export function encodePieces(engine: Engine, encoder: VideoEncoder): ClipEncoding {
  const pieces = encoder.begin();
  const encode = (pixels: HostTensor) => runOne(engine, pixels, (batch) => pieces.encode(batch));
  return { encode, dispose: () => pieces.dispose() };
}

/** Computes with one clip, `[C, frames, rows, columns]` before and after; `run` takes and gives batches. */
async function runOne(engine: Engine, clip: HostTensor, run: (batch: Tensor) => Promise<Tensor>): Promise<HostTensor> {
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

/** The official preprocessing cuts rows and columns into tiles of 512 pixels that overlap by 128. */
const trainerTiles = { size: 512, overlap: 128 } as const;

/**
 * Encodes in tiles of rows and columns, as the official preprocessing does with `--vae-tiling`; what fits one tile is encoded at once.
 * @param begin a new encoding, for each tile
 */
export function encodeTiles(
  begin: () => ClipEncoding,
  { height, width }: { readonly height: number; readonly width: number },
  factors: ScaleFactors,
  { size, overlap }: { readonly size: number; readonly overlap: number } = trainerTiles,
): ClipEncoding {
  if (height <= size && width <= size) return begin();
  const inColumns = windows(width, size, overlap, factors.width);
  const inRows = windows(height, size, overlap, factors.height);
  const tiles = inRows.flatMap((y) => inColumns.map((x) => ({ y, x, encoding: begin() })));
  const [rows, columns] = [Math.floor(height / factors.height), Math.floor(width / factors.width)];
  const ofCells = (list: readonly Window[], length: number) =>
    totalWeights(
      list.map(({ cells }) => cells),
      length,
    );
  const totals = { rows: ofCells(inRows, rows), columns: ofCells(inColumns, columns) };
  return {
    async encode(pixels) {
      let blend: Blend | null = null;
      let count = 0;
      for (const { y, x, encoding } of tiles) {
        const latent = await encoding.encode(cut(pixels, { start: 0, end: pixels.shape[1] ?? 0 }, y, x));
        const [channels = 0, frames = 0] = latent.shape;
        count = frames;
        const all: Range = { start: 0, weights: new Float64Array(frames).fill(1) };
        blend ??= new Blend(channels, { ...totals, frames: all.weights });
        blend.add(latent.data, all, y.cells, x.cells);
      }
      return stacked(blend?.take(count) ?? [], [rows, columns]);
    },
    dispose: () => tiles.forEach(({ encoding }) => encoding.dispose()),
  };
}

/** Frames `[C, h, w]` as `[C, f, h, w]`. */
export function stacked(frames: readonly Float32Array[], [rows, columns]: readonly [number, number]): HostTensor {
  const channels = (frames[0]?.length ?? 0) / (rows * columns);
  const data = new Float32Array(channels * frames.length * rows * columns);
  for (const [t, frame] of frames.entries())
    for (let c = 0; c < channels; c++)
      data.set(frame.subarray(c * rows * columns, (c + 1) * rows * columns), (c * frames.length + t) * rows * columns);
  return { shape: [channels, frames.length, rows, columns], dtype: "float32", data };
}

/** The inverse: `[C, f, h, w]` as frames `[C, h, w]`. */
export function framesOfLatent({ shape, data }: HostTensor): Float32Array[] {
  const [channels = 0, frames = 0, rows = 0, columns = 0] = shape;
  const size = rows * columns;
  return Array.from({ length: frames }, (_, t) => {
    const frame = new Float32Array(channels * size);
    for (let c = 0; c < channels; c++)
      frame.set(data.subarray((c * frames + t) * size, (c * frames + t + 1) * size) as Float32Array, c * size);
    return frame;
  });
}

interface Window {
  readonly start: number;
  readonly end: number;
  readonly cells: Range;
}

/** Windows of pixels on an axis; the last one is moved back so that it is whole. */
function windows(length: number, size: number, overlap: number, factor: number): Window[] {
  const step = size - overlap;
  const starts: number[] = [];
  for (let at = 0; at < Math.max(1, length - overlap); at += step) starts.push(at);
  const last = starts.at(-1) ?? 0;
  if (last + size < length) starts.push(length - size);
  return [...new Set(starts)]
    .toSorted((a, b) => a - b)
    .flatMap((start) => {
      const cells = Math.floor((Math.min(start + size, length) - start) / factor);
      if (cells === 0) return [];
      const end = start + cells * factor;
      const weights = trainerWeights(cells, Math.floor(overlap / factor), {
        isFirst: start === 0,
        isLast: end >= length,
      });
      return [{ start, end, cells: { start: Math.floor(start / factor), weights } }];
    });
}

function trainerWeights(
  cells: number,
  shared: number,
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
): Float64Array {
  const weights = new Float64Array(cells).fill(1);
  if (shared <= 0 || shared >= cells) return weights;
  for (let i = 0; i < shared; i++) {
    const part = (i + 1) / (shared + 1);
    if (!isFirst) weights[i] = (weights[i] ?? 1) * part;
    if (!isLast) weights[cells - 1 - i] = (weights[cells - 1 - i] ?? 1) * part;
  }
  return weights;
}
