/** Colours of pictures with an ICC profile, such as Display P3 of phones and Adobe RGB of cameras, as sRGB. After ICC.1:2022. */
import { inflateSync } from "node:zlib";
import type { RgbBytes } from "../pixels/resize.ts";

/** What a profile makes of a picture: null where it is not one of three curves and a matrix, so that nothing can be computed here. */
interface ColourProfile {
  readonly name: string;
  readonly toSrgb: ((picture: RgbBytes) => RgbBytes) | null;
}

/** Bytes of the largest profile that is looked at; usual ones have some thousand. */
const MOST_BYTES = 2 ** 24;

/** The profile in the `iCCP` chunk of a PNG file: a name, then packed data. Null where it is damaged. */
export function profileOfPng(chunk: Buffer): Buffer | null {
  try {
    return inflateSync(chunk.subarray(chunk.indexOf(0) + 2), { maxOutputLength: MOST_BYTES });
  } catch {
    return null;
  }
}

/** What a profile makes of colours; null where it is damaged. Profiles that change nothing, such as sRGB's own, leave the picture as it is. */
export function readProfile(icc: Buffer): ColourProfile | null {
  const tags = tagsOf(icc);
  if (tags === null) return null;
  const name = nameIn(tags.get("desc"));
  if (icc.toString("latin1", 16, 20) !== "RGB ") return { name, toSrgb: null };
  const columns = ["rXYZ", "gXYZ", "bXYZ"].map((tag) => pointIn(tags.get(tag)));
  const curves = ["rTRC", "gTRC", "bTRC"].map((tag) => curveIn(tags.get(tag)));
  const [r, g, b] = columns;
  const [red, green, blue] = curves;
  if (!r || !g || !b || !red || !green || !blue) return { name, toSrgb: null };
  const matrix = fromXyz.map((row) =>
    [r, g, b].map((column) => row.reduce((sum, x, i) => sum + x * (column[i] ?? 0), 0)),
  );
  return { name, toSrgb: (picture) => converted(picture, matrix, [red, green, blue]) };
}

function tagsOf(icc: Buffer): ReadonlyMap<string, Buffer> | null {
  if (icc.length < 132 || icc.toString("latin1", 36, 40) !== "acsp") return null;
  const tags = new Map<string, Buffer>();
  const count = icc.readUInt32BE(128);
  for (let at = 132, i = 0; i < count && at + 12 <= icc.length; i++, at += 12) {
    const start = icc.readUInt32BE(at + 4);
    tags.set(icc.toString("latin1", at, at + 4), icc.subarray(start, start + icc.readUInt32BE(at + 8)));
  }
  return tags;
}

/** Of a description in ASCII, or the first of those in several languages. */
function nameIn(tag: Buffer | undefined): string {
  if (tag === undefined || tag.length < 28) return "of an unknown name";
  if (tag.toString("latin1", 0, 4) === "desc")
    return tag.toString("latin1", 12, 12 + Math.max(0, tag.readUInt32BE(8) - 1));
  const [length, start] = [tag.readUInt32BE(20), tag.readUInt32BE(24)];
  return Buffer.from(tag.subarray(start, start + length - (length % 2)))
    .swap16()
    .toString("utf16le");
}

/** A number with 16 bits behind the point. */
const fixed = (tag: Buffer, at: number): number => tag.readInt32BE(at) / 65536;

function pointIn(tag: Buffer | undefined): number[] | null {
  return tag === undefined || tag.length < 20 ? null : [8, 12, 16].map((at) => fixed(tag, at));
}

/** How bright each of the 256 values is, from 0 to 1. */
function curveIn(tag: Buffer | undefined): Float64Array | null {
  if (tag === undefined || tag.length < 12) return null;
  const curve = tag.toString("latin1", 0, 4) === "para" ? formulaIn(tag) : tableIn(tag);
  return curve === null ? null : Float64Array.from({ length: 256 }, (_, i) => curve(i / 255));
}

function tableIn(tag: Buffer): ((x: number) => number) | null {
  const count = tag.readUInt32BE(8);
  if (count === 0) return (x) => x;
  if (tag.length < 12 + 2 * count) return null;
  if (count === 1) return (x) => x ** (tag.readUInt16BE(12) / 256);
  const value = (i: number) => tag.readUInt16BE(12 + 2 * Math.min(i, count - 1)) / 65535;
  return (x) => {
    const [whole, rest] = [Math.floor(x * (count - 1)), (x * (count - 1)) % 1];
    return value(whole) + rest * (value(whole + 1) - value(whole));
  };
}

/** How many numbers each kind of formula has. */
const lengths = [1, 3, 4, 5, 7];

/** (a x + b)^g + c from d on, and below it a line; fewer numbers stand for simpler forms. */
function formulaIn(tag: Buffer): ((x: number) => number) | null {
  const kind = tag.readUInt16BE(8);
  const count = lengths[kind];
  if (count === undefined || tag.length < 12 + 4 * count) return null;
  const [g = 1, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0] = Array.from({ length: count }, (_, i) =>
    fixed(tag, 12 + 4 * i),
  );
  const power = (x: number) => Math.max(0, a * x + b) ** g;
  switch (kind) {
    case 0:
      return power;
    case 1:
      return (x) => (a * x + b >= 0 ? power(x) : 0);
    case 2:
      return (x) => (a * x + b >= 0 ? power(x) : 0) + c;
    case 3:
      return (x) => (x >= d ? power(x) : c * x);
    default:
      return (x) => (x >= d ? power(x) + e : c * x + f);
  }
}

/** From XYZ under the light D50, in which profiles are, to linear sRGB. */
const fromXyz = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
];

const STEPS = 2 ** 14;

/** By brightness in steps, the value of sRGB. */
const encoded = Uint8Array.from({ length: STEPS + 1 }, (_, i) => {
  const x = i / STEPS;
  return Math.round(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055));
});

function converted(
  { width, height, bytes }: RgbBytes,
  matrix: readonly (readonly number[])[],
  curves: readonly Float64Array[],
): RgbBytes {
  const made = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 3) {
    const linear = curves.map((curve, c) => curve[bytes[at + c] ?? 0] ?? 0);
    for (const [c, row] of matrix.entries()) {
      const light = row.reduce((sum, x, i) => sum + x * (linear[i] ?? 0), 0);
      const value = encoded[Math.round(STEPS * Math.min(1, Math.max(0, light)))] ?? 0;
      const own = bytes[at + c] ?? 0;
      // Profiles of sRGB are rounded: one level is no difference.
      made[at + c] = Math.abs(value - own) <= 1 ? own : value;
    }
  }
  return { width, height, bytes: made };
}
