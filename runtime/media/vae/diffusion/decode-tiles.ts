/** The diffusion decoder on pictures that are too large for it at once: in tiles that overlap and are blended, as those of the other decoder. */
import type { HostTensor } from "../../../contract.ts";
import { cut } from "../cut.ts";
import { decodeTiles, type TilePlace } from "../decode-tiles.ts";
import { stacked } from "../encode-tiles.ts";
import { evenly, tilesInSpace, type Tiling } from "../tiles.ts";
import type { ClipNoise } from "./decode-clip.ts";
import type { DiffusionDecoder } from "./load.ts";

/**
 * The frames of a latent `[C, f, h, w]` in order, a few at a time: each `[3, H, W]` in about -1..1. Where a picture fits into one tile, they are
 * those of the whole clip. Else tiles of rows, columns and frames are decoded by themselves, each from its part of the same noise: what a tile
 * does not see of the picture around it changes it a little, and the blend hides where.
 */
export async function* decodeEvenly(
  decoder: DiffusionDecoder,
  latent: HostTensor,
  { tiling, noise }: { readonly tiling: Tiling; readonly noise: ClipNoise },
): AsyncGenerator<Float32Array[]> {
  const [, frames = 0, rows = 0, columns = 0] = latent.shape;
  const { time, height, width } = decoder.scaleFactors;
  const fits =
    tilesInSpace(rows, tiling.height, height).length === 1 && tilesInSpace(columns, tiling.width, width).length === 1;
  if (fits) return yield* decoder.frames(latent, { noise });
  const even: Tiling = {
    frames: evenly(frames, tiling.frames, time),
    height: evenly(rows, tiling.height, height),
    width: evenly(columns, tiling.width, width),
  };
  const picture = [rows * height, columns * width] as const;
  async function* pieces(part: HostTensor, place: TilePlace): AsyncGenerator<HostTensor> {
    const own = noiseOf(decoder, noise, picture, place);
    const size = [(part.shape[2] ?? 0) * height, (part.shape[3] ?? 0) * width] as const;
    for await (const some of decoder.frames(part, { noise: own })) yield stacked(some, size);
  }
  yield* decodeTiles({ scaleFactors: decoder.scaleFactors, pieces }, latent, even);
}

/** The noise of a picture, as a tile sees it; of a picture that is smaller than the kernels along an axis, it sees all that is drawn there. */
function noiseOf(
  { scaleFactors: { time, height, width } }: DiffusionDecoder,
  noise: ClipNoise,
  [rows, columns]: readonly [number, number],
  { t, y, x }: TilePlace,
): ClipNoise {
  return ([channels = 0, frames = 0, ownRows = 0, ownColumns = 0]) => {
    const size = [Math.max(rows, ownRows), Math.max(columns, ownColumns)] as const;
    const [top, left] = [
      Math.min(y.start * height, size[0] - ownRows),
      Math.min(x.start * width, size[1] - ownColumns),
    ];
    const drawn = noise([channels, frames, ...size]);
    return (start, end) => {
      const whole = drawn(start + t.start * time, end + t.start * time);
      const inRows = { start: top, end: top + ownRows };
      return cut(whole, { start: 0, end: end - start }, inRows, { start: left, end: left + ownColumns });
    };
  };
}
