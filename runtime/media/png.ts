import { deflateSync } from "node:zlib";
import { crc32 } from "../files/pt/crc32.ts";

export interface PngPicture {
  readonly width: number;
  readonly height: number;
  /** Row by row: a byte per pixel, or three (red, green, blue). */
  readonly pixels: Uint8Array;
}

/** A PNG file of 8-bit grey or RGB values, after the W3C's recommendation. */
export function encodePng({ width, height, pixels }: PngPicture): Buffer {
  const isColour = pixels.length === 3 * width * height;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Depth 8, colour type grey or RGB; compression, filter and interlace are 0.
  header.writeUInt8(8, 8);
  header.writeUInt8(isColour ? 2 : 0, 9);
  const line = isColour ? 3 * width : width;
  // Each row begins with the number of its filter: 0 for none.
  const rows = Buffer.alloc(height * (line + 1));
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * line, (y + 1) * line), y * (line + 1) + 1);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND")]);
}

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
