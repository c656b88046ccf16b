import type { HostTensor, ScaleFactors } from "../../contract.ts";
import { Blend, totalWeights } from "./blend.ts";
import { cut } from "./cut.ts";
import { completeAfter, framesOf, pixelsOf, tilesInSpace, tilesInTime, type Tile, type Tiling } from "./tiles.ts";

/** Where a tile lies in its latent. */
export interface TilePlace {
  readonly t: Tile;
  readonly y: Tile;
  readonly x: Tile;
}

/** What decodes tiles. */
interface TileDecoder {
  readonly scaleFactors: ScaleFactors;
  /** The pixels of a tile `[C, f, h, w]`, a few frames `[3, F, H, W]` at a time. */
  pieces(latent: HostTensor, place: TilePlace): AsyncIterable<HostTensor>;
}

/**
 * Decodes a latent `[C, f, h, w]` tile by tile, each piece by piece, and gives its frames in order, a few at a time: each `[3, H, W]` in about -1..1.
 * Memory does not depend on the number of frames, if they or neither rows nor columns are cut into tiles.
 */
export async function* decodeTiles(
  decoder: TileDecoder,
  latent: HostTensor,
  tiling: Tiling,
): AsyncGenerator<Float32Array[]> {
  const [, frames = 0, rows = 0, columns = 0] = latent.shape;
  const { time, height, width } = decoder.scaleFactors;
  const inTime = tilesInTime(frames, tiling.frames, time);
  const complete = completeAfter(inTime, frames, time);
  const inColumns = tilesInSpace(columns, tiling.width, width);
  const inRows = tilesInSpace(rows, tiling.height, height);
  const inSpace = inRows.flatMap((y) => inColumns.map((x) => ({ y, x })));
  const ofPixels = (tiles: readonly Tile[], length: number, factor: number) =>
    totalWeights(
      tiles.map((tile) => pixelsOf(tile, factor)),
      length * factor,
    );
  const blend = new Blend(3, {
    frames: totalWeights(
      inTime.map((tile) => framesOf(tile, time)),
      1 + (frames - 1) * time,
    ),
    rows: ofPixels(inRows, rows, height),
    columns: ofPixels(inColumns, columns, width),
  });
  for (const [i, t] of inTime.entries()) {
    const end = complete[i] ?? 0;
    for (const [j, { y, x }] of inSpace.entries()) {
      const { start, weights } = framesOf(t, time);
      let done = 0;
      for await (const { shape, data } of decoder.pieces(cut(latent, t, y, x), { t, y, x })) {
        const count = shape[1] ?? 0;
        const range = { start: start + done, weights: weights.subarray(done, done + count) };
        blend.add(data, range, pixelsOf(y, height), pixelsOf(x, width));
        done += count;
        // Where this tile is the last to see these frames, they are complete.
        if (j === inSpace.length - 1) yield blend.take(Math.min(start + done, end));
      }
    }
  }
}
