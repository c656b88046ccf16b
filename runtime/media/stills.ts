/** A picture of each latent frame: what a token grid lies over. */
import type { HostTensor } from "../contract.ts";
import { framesOf, type Decoding } from "./decode-files.ts";
import { resizedPart } from "./pixels/resize.ts";
import { encodePng } from "./png.ts";

/** Pictures are made smaller to this width. */
const WIDEST = 384;

/** PNG files, one for each latent frame of `[C, f, h, w]`: of the pixel frames that it stands for the one in the middle. */
export async function stillsOf(decoding: Omit<Decoding, "ffmpeg">, latents: HostTensor): Promise<Uint8Array[]> {
  const [, , rows = 0, columns = 0] = latents.shape;
  const { time, height, width } = decoding.decoder.scaleFactors;
  const full = { height: rows * height, width: columns * width };
  const scale = Math.min(1, WIDEST / full.width);
  const size = { height: Math.max(1, Math.round(full.height * scale)), width: Math.round(full.width * scale) };
  const place = { rows: size.height, columns: size.width, top: 0, left: 0, ...size };
  const stills: Uint8Array[] = [];
  let index = 0;
  for await (const bytes of framesOf({ ...decoding, ffmpeg: null }, latents, "nearest")) {
    const isShown = index === 0 || (index - 1) % time === Math.floor(time / 2);
    index++;
    if (!isShown) continue;
    const { data } = resizedPart({ ...full, bytes }, place);
    const area = size.height * size.width;
    const pixels = Uint8Array.from({ length: 3 * area }, (_, i) => {
      const unit = data[(i % 3) * area + Math.floor(i / 3)] ?? 0;
      return Math.round(255 * Math.min(1, Math.max(0, unit)));
    });
    stills.push(encodePng({ ...size, pixels }));
  }
  return stills;
}
