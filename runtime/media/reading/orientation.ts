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

/** The tag of the orientation, whose value is a 16-bit number. */
const [ORIENTATION, SHORT] = [0x0112, 3];

/** The orientation in a block of EXIF data, a small TIFF file; 1 where it says none. */
export function orientationIn(exif: Buffer): number {
  const isLittle = exif.toString("latin1", 0, 2) === "II";
  if (exif.length < 8 || (!isLittle && exif.toString("latin1", 0, 2) !== "MM")) return 1;
  const short = (at: number): number => {
    if (at + 2 > exif.length) return 0;
    return isLittle ? exif.readUInt16LE(at) : exif.readUInt16BE(at);
  };
  const first = isLittle ? exif.readUInt32LE(4) : exif.readUInt32BE(4);
  const count = short(first);
  for (let i = 0; i < count; i++) {
    const at = first + 2 + 12 * i;
    if (short(at) === ORIENTATION && short(at + 2) === SHORT) return short(at + 8);
  }
  return 1;
}

export const isJpeg = (bytes: Buffer): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

/** The segments in which a JPEG file keeps EXIF data, and parts of a colour profile. */
const [APP1, APP2] = [0xe1, 0xe2];

/** What stands in the head of a JPEG file before its pixels. */
interface JpegHead {
  /** Null where there is none. */
  readonly exif: Buffer | null;
  readonly profile: Buffer | null;
}

export function headOfJpeg(bytes: Buffer): JpegHead {
  let exif: Buffer | null = null;
  const parts = new Map<number, Buffer>();
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const kind = bytes[at + 1] ?? 0;
    // The pixels begin.
    if (kind === 0xda || kind === 0xd9) break;
    const length = bytes.readUInt16BE(at + 2);
    const data = bytes.subarray(at + 4, at + 2 + length);
    if (kind === APP1 && data.toString("latin1", 0, 6) === "Exif\0\0") exif ??= data.subarray(6);
    // Behind the name the number of the part, and how many there are.
    if (kind === APP2 && data.toString("latin1", 0, 12) === "ICC_PROFILE\0")
      parts.set(data[12] ?? 0, data.subarray(14));
    at += 2 + Math.max(2, length);
  }
  const ordered = [...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
  return { exif, profile: ordered.length === 0 ? null : Buffer.concat(ordered) };
}
