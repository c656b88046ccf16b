/** What files of JPEG, WebP and TIFF pictures say, next to their pixels, of how these are to be seen. */
import { closeSync, readSync } from "node:fs";
import { openRegular } from "../../files/regular-file.ts";

interface PictureHead {
  /** The EXIF value 1 to 8; 1 where the file says none. */
  readonly orientation: number;
  /** The ICC profile of its colours; null where there is none. */
  readonly profile: Buffer | null;
}

/** `length` bytes from `start` on, or what a shorter file has of them. */
type Read = (start: number, length: number) => Buffer;

/**
 * Of a picture; null for files of other kinds, among them animated ones.
 * @param head its first bytes, in which a JPEG file has what is asked for
 * Errors: as `openRegular`
 */
export async function headOfPicture(path: string, head: Buffer): Promise<PictureHead | null> {
  if (isJpeg(head) && !/\.mjpe?g$/i.test(path)) return headOfJpeg(head);
  if (isWebp(head)) return isAnimatedWebp(head) ? null : reading(path, headOfWebp);
  return tiffOrder(head) === null ? null : reading(path, headOfTiff);
}

async function reading(path: string, headOf: (read: Read) => PictureHead): Promise<PictureHead> {
  const { descriptor } = await openRegular(path);
  try {
    return headOf((start, length) => {
      const bytes = Buffer.alloc(Math.min(length, MOST_BYTES));
      return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, start));
    });
  } finally {
    closeSync(descriptor);
  }
}

/** Bytes of the largest part that is read; usual profiles have some thousand. */
const MOST_BYTES = 2 ** 24;

const isJpeg = (bytes: Buffer): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

/** The segments in which a JPEG file keeps EXIF data, and parts of a colour profile. */
const [APP1, APP2] = [0xe1, 0xe2];

/** Of its beginning. */
function headOfJpeg(bytes: Buffer): PictureHead {
  let exif: Buffer | null = null;
  const parts = new Map<number, Buffer>();
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const kind = bytes[at + 1] ?? 0;
    // The pixels begin.
    if (kind === 0xda || kind === 0xd9) break;
    const length = bytes.readUInt16BE(at + 2);
    const data = bytes.subarray(at + 4, at + 2 + length);
    if (kind === APP1 && data.toString("latin1", 0, 6) === EXIF) exif ??= data.subarray(6);
    // Behind the name the number of the part, and how many there are.
    if (kind === APP2 && data.toString("latin1", 0, 12) === "ICC_PROFILE\0")
      parts.set(data[12] ?? 0, data.subarray(14));
    at += 2 + Math.max(2, length);
  }
  const ordered = [...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
  return {
    orientation: exif === null ? 1 : orientationIn(exif),
    profile: ordered.length === 0 ? null : Buffer.concat(ordered),
  };
}

/** What some programs write before EXIF data. */
const EXIF = "Exif\0\0";

const isWebp = (bytes: Buffer): boolean =>
  bytes.toString("latin1", 0, 4) === "RIFF" && bytes.toString("latin1", 8, 12) === "WEBP";

/** By the flag in the first chunk of its extended form. */
export const isAnimatedWebp = (head: Buffer): boolean =>
  head.toString("latin1", 8, 16) === "WEBPVP8X" && ((head[20] ?? 0) & 2) !== 0;

/** Chunks of a WebP file that are looked at: usual ones have six. */
const MOST_CHUNKS = 1000;

/** EXIF data stand behind the pixels. */
function headOfWebp(read: Read): PictureHead {
  let [orientation, profile]: [number, Buffer | null] = [1, null];
  for (let at = 12, i = 0; i < MOST_CHUNKS; i++) {
    const chunk = read(at, 8);
    if (chunk.length < 8) break;
    const [name, length] = [chunk.toString("latin1", 0, 4), chunk.readUInt32LE(4)];
    if (name === "ICCP") profile ??= read(at + 8, length);
    if (name === "EXIF") {
      const data = read(at + 8, length);
      orientation = orientationIn(data.toString("latin1", 0, 6) === EXIF ? data.subarray(6) : data);
    }
    at += 8 + length + (length % 2);
  }
  return { orientation, profile };
}

/** The orientation in a block of EXIF data, a small TIFF file; 1 where it says none. */
export const orientationIn = (exif: Buffer): number =>
  headOfTiff((start, length) => exif.subarray(start, start + length)).orientation;

/** The tags of the orientation, a 16-bit number, and of the colour profile, of bytes. */
const [ORIENTATION, SHORT] = [0x0112, 3];
const [PROFILE, BYTES] = [0x8773, 7];

/** Numbers of a TIFF file, in its order of bytes; null for other files. */
function tiffOrder(head: Buffer) {
  const order = head.toString("latin1", 0, 4);
  const isLittle = order === "II*\0";
  if (head.length < 8 || (!isLittle && order !== "MM\0*")) return null;
  return {
    short: (bytes: Buffer, at: number) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
    long: (bytes: Buffer, at: number) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
  };
}

/** Of the first picture in the file. */
function headOfTiff(read: Read): PictureHead {
  let [orientation, profile]: [number, Buffer | null] = [1, null];
  const head = read(0, 8);
  const order = tiffOrder(head);
  if (order === null) return { orientation, profile };
  const first = order.long(head, 4);
  const counted = read(first, 2);
  const entries = counted.length < 2 ? counted : read(first + 2, 12 * order.short(counted, 0));
  for (let at = 0; at + 12 <= entries.length; at += 12) {
    const [tag, type] = [order.short(entries, at), order.short(entries, at + 2)];
    if (tag === ORIENTATION && type === SHORT) orientation = order.short(entries, at + 8);
    if (tag === PROFILE && type === BYTES) profile = read(order.long(entries, at + 8), order.long(entries, at + 4));
  }
  return { orientation, profile };
}
