/** How a camera was held: the EXIF value 1 to 8 of a picture, and turning it upright. */
import type { RgbBytes } from "../pixels/resize.ts";

/** By EXIF value: whether rows and columns change places, then which of the two run backwards. */
const turns: Readonly<Record<number, readonly [isTransposed: boolean, isFlippedX: boolean, isFlippedY: boolean]>> = {
  2: [false, true, false],
  3: [false, true, true],
  4: [false, false, true],
  5: [true, false, false],
  6: [true, true, false],
  7: [true, true, true],
  8: [true, false, true],
};

/** The picture as it is to be seen. */
export function upright(picture: RgbBytes, orientation: number): RgbBytes {
  const turn = turns[orientation];
  if (turn === undefined) return picture;
  const [isTransposed, isFlippedX, isFlippedY] = turn;
  const [width, height] = isTransposed ? [picture.height, picture.width] : [picture.width, picture.height];
  const bytes = new Uint8Array(picture.bytes.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = [isFlippedX ? width - 1 - x : x, isFlippedY ? height - 1 - y : y];
      const from = 3 * (isTransposed ? u * picture.width + v : v * picture.width + u);
      const to = 3 * (y * width + x);
      for (let c = 0; c < 3; c++) bytes[to + c] = picture.bytes[from + c] ?? 0;
    }
  }
  return { width, height, bytes };
}
