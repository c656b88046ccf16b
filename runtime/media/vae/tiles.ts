/** How an axis of latent cells is cut into tiles that overlap, and with what weights they are put together. */

/** Cells from `start` to before `end`; `left` and `right` of them are shared with the tiles before and after. */
export interface Tile {
  readonly start: number;
  readonly end: number;
  readonly left: number;
  readonly right: number;
}

/** By sizes in pixels or frames, 0 for an axis that is not cut; or by the number of tiles, with the overlap in latent cells. */
export type AxisTiling =
  | { readonly kind: "size"; readonly tileSize: number; readonly overlap: number }
  | { readonly kind: "count"; readonly tiles: number; readonly overlap: number };

export interface Tiling {
  readonly frames: AxisTiling;
  readonly height: AxisTiling;
  readonly width: AxisTiling;
}

/** What the official script that decodes latents does: 512 pixels that overlap by 128, and 128 frames by 24. */
export const usualTiling: Tiling = {
  frames: { kind: "size", tileSize: 128, overlap: 24 },
  height: { kind: "size", tileSize: 512, overlap: 128 },
  width: { kind: "size", tileSize: 512, overlap: 128 },
};

/** As many tiles as by size, all about as large: none is so small that a decoder would see little around it. */
export function evenly(length: number, tiling: AxisTiling, factor: number): AxisTiling {
  if (tiling.kind === "count") return tiling;
  const tiles = bySize(length, tiling, factor).length;
  return { kind: "count", tiles, overlap: Math.floor(tiling.overlap / factor) };
}

/** The tiles of `length` latent cells in rows or columns. `factor`: pixels to a cell. */
export function tilesInSpace(length: number, tiling: AxisTiling, factor: number): Tile[] {
  return tiling.kind === "size" ? bySize(length, tiling, factor) : byCount(length, tiling);
}

/** In time, a tile begins one frame earlier than it is needed for: its first frame is decoded without its past and thrown away. */
export function tilesInTime(length: number, tiling: AxisTiling, factor: number): Tile[] {
  return tilesInSpace(length, tiling, factor).map((tile, i) =>
    i === 0 ? tile : { ...tile, start: tile.start - 1, left: tile.left + 1 },
  );
}

function bySize(length: number, { tileSize, overlap }: { tileSize: number; overlap: number }, factor: number): Tile[] {
  if (tileSize === 0) return split(length, length, 0);
  const shared = Math.floor(overlap / factor);
  return split(length, Math.max(2, shared + 1, Math.floor(tileSize / factor)), shared);
}

function byCount(length: number, { tiles, overlap }: { tiles: number; overlap: number }): Tile[] {
  const total = length + overlap * (tiles - 1);
  const [size, rest] = [Math.floor(total / tiles), total % tiles];
  return split(length - rest, size, overlap).map((tile, i) => ({
    ...tile,
    start: tile.start + Math.min(i, rest),
    end: tile.end + Math.min(i + 1, rest),
  }));
}

function split(length: number, size: number, overlap: number): Tile[] {
  if (length <= size) return [{ start: 0, end: length, left: 0, right: 0 }];
  const step = size - overlap;
  const count = Math.ceil((length - overlap) / step);
  return Array.from({ length: count }, (_, i) => ({
    start: i * step,
    end: Math.min(i * step + size, length),
    left: i === 0 ? 0 : overlap,
    right: i === count - 1 ? 0 : overlap,
  }));
}

/** A range of pixels or frames, with the weight of each in its tile. */
export interface Range {
  readonly start: number;
  readonly weights: Float64Array;
}

/** The rows or columns of pixels that a tile of the latent becomes. */
export function pixelsOf({ start, end, left, right }: Tile, factor: number): Range {
  const weights = new Float64Array((end - start) * factor).fill(1);
  rise(weights, left * factor, 1, left * factor + 1);
  fall(weights, right * factor);
  return { start: start * factor, weights };
}

/** The frames that a tile of the latent becomes. The first weight of a tile with a past is 0. */
export function framesOf({ start, end, left, right }: Tile, factor: number): Range {
  const weights = new Float64Array(1 + (end - 1 - start) * factor).fill(1);
  const shared = left === 0 ? 0 : 1 + (left - 1) * factor;
  rise(weights, shared, 0, shared);
  fall(weights, right * factor);
  return { start: start * factor, weights };
}

/** With how many frames a clip is complete once all tiles are there that begin as early as each of these, of `length` cells together. */
export function completeAfter(tiles: readonly Tile[], length: number, factor: number): number[] {
  const starts = tiles.map((tile) => framesOf(tile, factor).start);
  return [...starts.slice(1), 1 + (length - 1) * factor];
}

/** The first `count` weights become (i + first) / steps. */
function rise(weights: Float64Array, count: number, first: number, steps: number): void {
  for (let i = 0; i < Math.min(count, weights.length); i++) weights[i] = (weights[i] ?? 1) * ((i + first) / steps);
}

/** The last `count` weights fall to 0, which they do not reach. */
function fall(weights: Float64Array, count: number): void {
  const begin = weights.length - count;
  for (let i = Math.max(0, -begin); i < count; i++)
    weights[begin + i] = (weights[begin + i] ?? 1) * (1 - (i + 1) / (count + 1));
}
