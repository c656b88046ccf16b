import type { HostTensor } from "../contract.ts";
import type { PngPicture } from "../media/png.ts";

/** Numbers on a grid, row by row. */
interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Pixels between tiles, and how high a tile is made at least. */
const [GAP, MIN_HEIGHT] = [2, 32];
const BACKGROUND = 24;

/**
 * The channels of video latents `[C, F, H, W]`, one tile each: the middle frame, from black at the channel's lowest value to white at
 * its highest. The middle frames of `beside` stand left of it.
 */
export function videoPreview(latents: HostTensor, beside: readonly HostTensor[]): PngPicture {
  const [channels = 0] = latents.shape;
  return mosaic(Array.from({ length: channels }, (_, c) => [...beside, latents].map((video) => middleFrame(video, c))));
}

/** The channels of audio latents `[C, T, mel]`, one tile each: time from left to right, low bins at the bottom. */
export function audioPreview({ shape: [channels = 0, steps = 0, mel = 0], data }: HostTensor): PngPicture {
  const tile = (c: number): Plane => ({
    width: steps,
    height: mel,
    values: Float32Array.from({ length: steps * mel }, (_, i) => {
      const [row, t] = [Math.floor(i / steps), i % steps];
      return data[(c * steps + t) * mel + (mel - 1 - row)] ?? 0;
    }),
  });
  return mosaic(Array.from({ length: channels }, (_, c) => [tile(c)]));
}

function middleFrame({ shape: [, frames = 0, height = 0, width = 0], data }: HostTensor, channel: number): Plane {
  const start = (channel * frames + Math.floor(frames / 2)) * height * width;
  return { width, height, values: Float32Array.from(data.subarray(start, start + height * width)) };
}

/** Tiles of equal size; planes of a tile stand side by side, the smaller ones enlarged to the height of the last. */
function mosaic(tiles: readonly (readonly Plane[])[]): PngPicture {
  const [first = []] = tiles;
  const cells = first.at(-1)?.height ?? 0;
  const rowHeight = cells * Math.max(1, Math.ceil(MIN_HEIGHT / Math.max(1, cells)));
  const zoom = ({ height }: Plane) => rowHeight / height;
  const tileWidth = first.reduce((sum, plane) => sum + Math.round(plane.width * zoom(plane)), 0);
  // Twice as many columns as rows: 16 for the 128 channels of official latents.
  const columns = Math.max(1, Math.min(tiles.length, Math.ceil(Math.sqrt(2 * tiles.length))));
  const rows = Math.ceil(tiles.length / columns);
  const width = columns * (tileWidth + GAP) + GAP;
  const height = rows * (rowHeight + GAP) + GAP;
  const pixels = new Uint8Array(width * height).fill(BACKGROUND);
  for (const [i, tile] of tiles.entries()) {
    const top = GAP + Math.floor(i / columns) * (rowHeight + GAP);
    let left = GAP + (i % columns) * (tileWidth + GAP);
    for (const plane of tile) {
      paint(plane, zoom(plane), rowHeight, (x, y, grey) => (pixels[(top + y) * width + left + x] = grey));
      left += Math.round(plane.width * zoom(plane));
    }
  }
  return { width, height, pixels };
}

function paint(
  { width, values }: Plane,
  zoom: number,
  rowHeight: number,
  put: (x: number, y: number, grey: number) => void,
): void {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const grey = (value: number) => (high > low ? Math.round((255 * (value - low)) / (high - low)) : 128);
  for (let y = 0; y < rowHeight; y++) {
    for (let x = 0; x < Math.round(width * zoom); x++) {
      put(x, y, grey(values[Math.floor(y / zoom) * width + Math.floor(x / zoom)] ?? 0));
    }
  }
}
