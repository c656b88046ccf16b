/** Reads PNG files, after the W3C's recommendation: all colour types, depths and interlacing. Transparency is left out, as ffmpeg does. */
import { inflateSync } from "node:zlib";
import type { RgbBytes } from "../pixels/resize.ts";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export const isPng = (bytes: Buffer): boolean => bytes.subarray(0, 8).equals(SIGNATURE);

interface Header {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colour: number;
  readonly isInterlaced: boolean;
}

/** Samples of a pixel by colour type, and the depths that it may have. */
const kinds = new Map([
  [0, { samples: 1, depths: [1, 2, 4, 8, 16] }],
  [2, { samples: 3, depths: [8, 16] }],
  [3, { samples: 1, depths: [1, 2, 4, 8] }],
  [4, { samples: 2, depths: [8, 16] }],
  [6, { samples: 4, depths: [8, 16] }],
]);

/** What is wrong with a file. */
export class PngError extends Error {}

const bad = (what: string): never => {
  throw new PngError(what);
};

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function chunksOf(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    if (at + 12 + length > bytes.length) return bad("it is cut off");
    const type = bytes.toString("latin1", at + 4, at + 8);
    chunks.push({ type, data: bytes.subarray(at + 8, at + 8 + length) });
    if (type === "IEND") return chunks;
    at += 12 + length;
  }
  return bad("it is cut off");
}

/** Width and height, by which a reader decides before it decodes. Throws PngError. */
export function readPngHeader(bytes: Buffer): Header {
  if (bytes.length < 33 || bytes.toString("latin1", 12, 16) !== "IHDR") return bad("it is cut off");
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const [depth = 0, colour = 0, compression, filter, interlace] = bytes.subarray(24, 29);
  if (width === 0 || height === 0) return bad(`it is ${width} x ${height} pixels large`);
  if (kinds.get(colour)?.depths.includes(depth) !== true)
    return bad(`it has colours of type ${colour} with ${depth} bits`);
  if (compression !== 0 || filter !== 0 || (interlace ?? 2) > 1) return bad("it is compressed in an unknown way");
  return { width, height, depth, colour, isInterlaced: interlace === 1 };
}

/** The value of a chunk, such as `eXIf` and `iCCP`; null where there is none. Throws PngError. */
export function chunkOfPng(bytes: Buffer, wanted: string): Buffer | null {
  return chunksOf(bytes).find(({ type }) => type === wanted)?.data ?? null;
}

interface PngPixels extends RgbBytes {
  /** Whether a part of it can be seen through. */
  readonly isTransparent: boolean;
}

/** Throws PngError for a file that is damaged. */
export function decodePng(bytes: Buffer): PngPixels {
  const header = readPngHeader(bytes);
  const chunks = chunksOf(bytes);
  const packed = Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  const passes = passesOf(header);
  const size = passes.reduce((sum, pass) => sum + pass.height * (1 + lineBytes(header, pass.width)), 0);
  const rows = inflated(packed, size);
  const palette = chunks.find(({ type }) => type === "PLTE")?.data;
  if (header.colour === 3 && palette === undefined) bad("it has no palette");
  const made = new Uint8Array(3 * header.width * header.height);
  let at = 0;
  let isTransparent = chunks.some(
    ({ type, data }) => type === "tRNS" && (header.colour !== 3 || data.some((x) => x < 255)),
  );
  for (const pass of passes) {
    const length = lineBytes(header, pass.width);
    const lines = unfiltered(rows.subarray(at, at + pass.height * (1 + length)), pass.height, length, step(header));
    at += pass.height * (1 + length);
    place(made, lines, length, pass, header, palette);
    isTransparent ||= hasTransparent(lines, length, pass, header);
  }
  return { width: header.width, height: header.height, bytes: made, isTransparent };
}

function inflated(packed: Buffer, size: number): Buffer {
  let rows: Buffer;
  try {
    rows = inflateSync(packed, { maxOutputLength: size });
  } catch {
    return bad("its pixels can not be unpacked");
  }
  return rows.length === size ? rows : bad("it has fewer pixels than it says");
}

/** Every `stepX`th pixel of every `stepY`th row, from `x`, `y` on; `width` x `height` of them. */
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly width: number;
  readonly height: number;
}

const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

function passesOf({ width, height, isInterlaced }: Header): Pass[] {
  return (isInterlaced ? adam7 : ([[0, 0, 1, 1]] as const))
    .map(([x, y, stepX, stepY]) => ({
      x,
      y,
      stepX,
      stepY,
      width: Math.max(0, Math.ceil((width - x) / stepX)),
      height: Math.max(0, Math.ceil((height - y) / stepY)),
    }))
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

const samplesOf = ({ colour }: Header): number => kinds.get(colour)?.samples ?? 1;
const lineBytes = (header: Header, width: number): number => Math.ceil((width * samplesOf(header) * header.depth) / 8);
/** Bytes from a sample to the same one of the pixel before. */
const step = (header: Header): number => Math.max(1, (samplesOf(header) * header.depth) / 8);

/** Rows without their filters, one after another. */
function unfiltered(rows: Buffer, height: number, length: number, pixel: number): Uint8Array {
  const lines = new Uint8Array(height * length);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (length + 1)] ?? 0;
    if (filter > 4) bad("its rows are filtered in an unknown way");
    const from = y * (length + 1) + 1;
    const to = y * length;
    for (let i = 0; i < length; i++) {
      const left = i < pixel ? 0 : (lines[to + i - pixel] ?? 0);
      const up = y === 0 ? 0 : (lines[to + i - length] ?? 0);
      const corner = y === 0 || i < pixel ? 0 : (lines[to + i - length - pixel] ?? 0);
      lines[to + i] = (rows[from + i] ?? 0) + predicted(filter, left, up, corner);
    }
  }
  return lines;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4:
      return paeth(left, up, corner);
    default:
      return 0;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/** Lays the pixels of a pass into the picture, as 8-bit RGB. */
function place(
  made: Uint8Array,
  lines: Uint8Array,
  length: number,
  pass: Pass,
  header: Header,
  palette: Buffer | undefined,
): void {
  const samples = samplesOf(header);
  const isGrey = header.colour === 0 || header.colour === 4;
  const value = sampler(lines, header);
  for (let y = 0; y < pass.height; y++) {
    for (let x = 0; x < pass.width; x++) {
      const to = 3 * ((pass.y + y * pass.stepY) * header.width + pass.x + x * pass.stepX);
      for (let c = 0; c < 3; c++) {
        const sample = value(y * length, x * samples + (samples < 3 ? 0 : c));
        if (palette !== undefined && header.colour === 3) made[to + c] = palette[3 * sample + c] ?? 0;
        else made[to + c] = isGrey && header.depth < 8 ? (sample * 255) / (2 ** header.depth - 1) : sample;
      }
    }
  }
}

/** Whether the last sample of a pixel, where it is that, says less than opaque. */
function hasTransparent(lines: Uint8Array, length: number, { width, height }: Pass, header: Header): boolean {
  if (header.colour !== 4 && header.colour !== 6) return false;
  const samples = samplesOf(header);
  const value = sampler(lines, header);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) if (value(y * length, (x + 1) * samples - 1) < 255) return true;
  return false;
}

/** The i-th sample of a line; of 16 bits the upper 8. */
function sampler(lines: Uint8Array, { depth }: Header): (line: number, i: number) => number {
  if (depth === 8) return (line, i) => lines[line + i] ?? 0;
  if (depth === 16) return (line, i) => lines[line + 2 * i] ?? 0;
  const mask = 2 ** depth - 1;
  return (line, i) => {
    const bit = i * depth;
    return ((lines[line + (bit >> 3)] ?? 0) >> (8 - depth - (bit & 7))) & mask;
  };
}
