import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readProfile } from "./colour-profile.ts";

const test = suite("colour profiles");

const fixed = (values: readonly number[]) => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((x, i) => bytes.writeInt32BE(Math.round(x * 65536), 4 * i));
  return bytes;
};
const words = (...values: readonly number[]) => {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((x, i) => bytes.writeUInt16BE(x, 2 * i));
  return bytes;
};
const head = (type: string) => Buffer.from(`${type}\0\0\0\0`, "latin1");

/** A profile of primaries under D50 and one curve for all three colours. */
function profile(columns: readonly (readonly number[])[], curve: Uint8Array, space = "RGB "): Buffer {
  const name = Buffer.concat([head("desc"), Buffer.from("\0\0\0\x05Mine\0", "latin1"), Buffer.alloc(79)]);
  const tags = new Map<string, Uint8Array>([["desc", name]]);
  for (const [i, letter] of ["r", "g", "b"].entries()) {
    tags.set(`${letter}XYZ`, Buffer.concat([head("XYZ "), fixed(columns[i] ?? [])]));
    tags.set(`${letter}TRC`, curve);
  }
  const start = Buffer.alloc(132);
  start.write(space, 16, "latin1");
  start.write("acsp", 36, "latin1");
  start.writeUInt32BE(tags.size, 128);
  let at = 132 + 12 * tags.size;
  const entries: Buffer[] = [];
  for (const [tag, { length }] of tags) {
    const entry = Buffer.alloc(12);
    entry.write(tag, 0, "latin1");
    entry.writeUInt32BE(at, 4);
    entry.writeUInt32BE(length, 8);
    entries.push(entry);
    at += length;
  }
  return Buffer.concat([start, ...entries, ...tags.values()]);
}

const srgbCurve = Buffer.concat([
  head("para"),
  words(3, 0),
  fixed([2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]),
]);
const p3 = [
  [0.51512, 0.2412, -0.00105],
  [0.29198, 0.69225, 0.04189],
  [0.1571, 0.06657, 0.78407],
];
const adobe = [
  [0.60974, 0.31111, 0.01947],
  [0.20528, 0.62567, 0.06087],
  [0.14919, 0.06322, 0.74457],
];
const colours = [200, 50, 50, 50, 200, 50, 50, 50, 200, 128, 128, 128, 255, 0, 0, 10, 20, 30, 240, 200, 160, 0, 255, 0];

function inSrgb(icc: Buffer): number[] {
  const bytes = Uint8Array.from(colours);
  return [...(readProfile(icc)?.toSrgb?.({ width: 8, height: 1, bytes }).bytes ?? [])];
}

/** As Little CMS 2 computes them, by Pillow's `ImageCms.profileToProfile`. */
const expected = {
  p3: [218, 24, 40, 0, 204, 0, 50, 50, 208, 128, 128, 128, 255, 0, 0, 7, 20, 31, 248, 198, 154, 0, 255, 0],
  adobe: [232, 46, 46, 0, 201, 12, 46, 46, 205, 129, 129, 129, 255, 0, 0, 0, 12, 24, 254, 201, 159, 0, 255, 0],
};

function near(actual: readonly number[], wanted: readonly number[]): void {
  assert.is(actual.length, wanted.length);
  actual.forEach((x, i) => assert.ok(Math.abs(x - (wanted[i] ?? NaN)) <= 1, `${i}: ${x}, ${wanted[i]}`));
}

test("Display P3 and Adobe RGB become sRGB as Little CMS makes them", () => {
  near(inSrgb(profile(p3, srgbCurve)), expected.p3);
  near(inSrgb(profile(adobe, Buffer.concat([head("curv"), words(0, 1, 563)]))), expected.adobe);
  // The same curve as a table.
  const table = Array.from({ length: 256 }, (_, i) => Math.round(65535 * (i / 255) ** (563 / 256)));
  near(inSrgb(profile(adobe, Buffer.concat([head("curv"), words(0, 256, ...table)]))), expected.adobe);
});

test("a profile of sRGB itself changes nothing", () => {
  const srgb = [
    [0.43607, 0.22249, 0.01392],
    [0.38515, 0.71687, 0.09708],
    [0.14307, 0.06061, 0.7141],
  ];
  assert.equal(inSrgb(profile(srgb, srgbCurve)), colours);
});

test("profiles for printing and damaged ones convert nothing", () => {
  assert.equal(readProfile(profile(p3, srgbCurve, "CMYK")), { name: "Mine", toSrgb: null });
  const whole = profile(p3, srgbCurve);
  for (let length = 0; length < whole.length; length += 5) readProfile(whole.subarray(0, length));
  assert.is(readProfile(Buffer.alloc(200)), null);
  const cut = Buffer.from(whole);
  cut.writeUInt32BE(2 ** 31, 132 + 12 + 4);
  assert.equal(readProfile(cut)?.toSrgb, null);
});

test.run();
