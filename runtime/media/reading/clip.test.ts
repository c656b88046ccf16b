import { spawnSync } from "node:child_process";
import { appendFile, mkdir, open, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../../findings.ts";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { encodePng } from "../png.ts";
import { clipMaking, joined, readAll as read } from "../../testing/clips.ts";
import { openClip, type ClipOptions } from "./clip.ts";
import { upright } from "./orientation.ts";
import { orientationIn } from "./picture-head.ts";

const test = suite("reading videos and pictures");
const folder = temporaryFolders(test, "reading");
const making = clipMaking();
if (making === null) console.log("reading videos: no ffmpeg here, so only what does not need it is tested");

async function refused(path: string, options: Partial<ClipOptions> = {}): Promise<string> {
  const error: unknown = await read(path, options).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FindingsError)) throw error ?? new Error(`${path} was read`);
  return error.message;
}

const png = (width: number, height: number): Buffer =>
  encodePng({ width, height, pixels: Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37) % 256) });

test("a PNG picture is read without any program", async () => {
  const path = join(await folder(), "picture.png");
  await writeFile(path, png(7, 5));
  const { pictures, fps, isPicture } = await read(path, { programs: null });
  assert.equal([fps, isPicture, pictures.length], [1, true, 1]);
  assert.equal(pictures[0], {
    width: 7,
    height: 5,
    bytes: Uint8Array.from({ length: 105 }, (_, i) => (i * 37) % 256),
  });
});

/** The picture with a chunk more behind its header; nobody looks at checksums. */
function withChunk(picture: Buffer, type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const parts = [
    picture.subarray(0, 33),
    length,
    Buffer.from(type, "latin1"),
    data,
    Buffer.alloc(4),
    picture.subarray(33),
  ];
  return Buffer.concat(parts);
}

/** A profile that is not converted: that it was found is known by the warning of it. */
function foreignProfile(): Buffer {
  const profile = Buffer.alloc(132);
  profile.write("CMYK", 16, "latin1");
  profile.write("acsp", 36, "latin1");
  return profile;
}

/** A TIFF picture of 3 x 2 pixels with red 80 x, green 120 y and blue 40, turned, and with a profile. */
function tiff(isLittle: boolean, profile: Buffer): Buffer {
  const pixels = Uint8Array.from(
    { length: 18 },
    (_, i) => [80 * (Math.floor(i / 3) % 3), 120 * Math.floor(i / 9), 40][i % 3] ?? 0,
  );
  const after = 8 + 18 + 6;
  const [short, long, bytes] = [3, 4, 7];
  const entries = [
    [0x100, long, 1, 3],
    [0x101, long, 1, 2],
    [0x102, short, 3, 8 + 18],
    [0x103, short, 1, 1],
    [0x106, short, 1, 2],
    [0x111, long, 1, 8],
    [0x112, short, 1, 6],
    [0x115, short, 1, 3],
    [0x116, long, 1, 2],
    [0x117, long, 1, 18],
    [0x8773, bytes, profile.length, after],
  ] as const;
  const file = Buffer.alloc(after + profile.length + 2 + 12 * entries.length + 4);
  const put16 = (value: number, at: number) =>
    isLittle ? file.writeUInt16LE(value, at) : file.writeUInt16BE(value, at);
  const put32 = (value: number, at: number) =>
    isLittle ? file.writeUInt32LE(value, at) : file.writeUInt32BE(value, at);
  file.write(isLittle ? "II*\0" : "MM\0*", 0, "latin1");
  file.set(pixels, 8);
  for (let i = 0; i < 3; i++) put16(8, 26 + 2 * i);
  file.set(profile, after);
  const first = after + profile.length;
  put32(first, 4);
  put16(entries.length, first);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const at = first + 2 + 12 * i;
    put16(tag, at);
    put16(type, at + 2);
    put32(count, at + 4);
    if (type === short && count === 1) put16(value, at + 8);
    else put32(value, at + 8);
  }
  return file;
}

/** The same as WebP, without losses. */
function webp(profile: Buffer): Buffer {
  const pixels = Buffer.from(
    "UklGRi4AAABXRUJQVlA4TCIAAAAvAkAAAC8weAKBJMRRRxyU+Q8WIowBgQBlrDjglIj+x/IC",
    "base64",
  ).subarray(12);
  const chunk = (name: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(data.length);
    return Buffer.concat([Buffer.from(name, "latin1"), length, data, Buffer.alloc(data.length % 2)]);
  };
  const exif = Buffer.from(`49492a00080000000100120103000100000006${"0".repeat(14)}`, "hex");
  // With a profile and EXIF data; width and height, less 1, in 24 bits each.
  const extended = chunk("VP8X", Buffer.from([0x28, 0, 0, 0, 2, 0, 0, 1, 0, 0]));
  return chunk(
    "RIFF",
    Buffer.concat([Buffer.from("WEBP"), extended, chunk("ICCP", profile), pixels, chunk("EXIF", exif)]),
  );
}

test("a picture with transparency, or with a profile that is not converted, is read, and told of once", async () => {
  const profile = foreignProfile();
  const chunks: readonly (readonly [string, Buffer, string])[] = [
    ["iCCP", Buffer.concat([Buffer.from("x\0\0", "latin1"), deflateSync(profile)]), "LTX6840"],
    ["tRNS", Buffer.alloc(6), "LTX6841"],
  ];
  for (const [type, data, code] of chunks) {
    const path = join(await folder(), "picture.png");
    await writeFile(path, withChunk(png(7, 5), type, data));
    const codes: string[] = [];
    const clip = await openClip(path, {
      programs: null,
      most: null,
      onWarning: (finding) => void codes.push(finding.code),
    });
    for (let i = 0; i < 2; i++) for await (const picture of clip.frames()) assert.is(picture.width, 7);
    assert.equal(codes, [code]);
  }
});

test("other files say which package is missing", async () => {
  const path = join(await folder(), "clip.mp4");
  await writeFile(path, "something");
  assert.match(await refused(path, { programs: null }), /LTX6821: .*`ffprobe` and `ffmpeg`, which are not installed/);
});

test("a picture is turned by each value of EXIF", () => {
  // Pixels 1 2 3 / 4 5 6.
  const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6].flatMap((x) => [x, x, x]));
  const rowsOf = (orientation: number): string => {
    const { width, bytes: turned } = upright({ width: 3, height: 2, bytes }, orientation);
    const values = [...turned].filter((_, i) => i % 3 === 0).join("");
    return values.replaceAll(new RegExp(`.{${width}}(?!$)`, "g"), "$&/");
  };
  const wanted = ["123/456", "321/654", "654/321", "456/123", "14/25/36", "41/52/63", "63/52/41", "36/25/14"];
  assert.equal([1, 2, 3, 4, 5, 6, 7, 8].map(rowsOf), wanted);
  assert.is(rowsOf(77), wanted[0]);
  assert.equal([Buffer.alloc(0), Buffer.from("MM"), Buffer.alloc(40, 0x49)].map(orientationIn), [1, 1, 1]);
});

test("damaged PNG pictures are refused, and large ones before memory is taken for them", async () => {
  const root = await folder();
  const whole = png(40, 30);
  const huge = Buffer.from(whole);
  huge.writeUInt32BE(100_000, 16);
  huge.writeUInt32BE(100_000, 20);
  const larger = Buffer.from(whole);
  larger.writeUInt32BE(31, 20);
  const broken = Buffer.from(whole);
  broken.fill(0xff, 60, 80);
  for (const [name, bytes, said] of [
    ["short", whole.subarray(0, 20), /LTX6820: .*it is cut off/],
    ["cut", whole.subarray(0, whole.length - 30), /LTX6820: .*it is cut off/],
    ["huge", huge, /LTX6823: .*100000 x 100000/],
    ["larger", larger, /LTX6820: .*it has fewer pixels than it says/],
    ["broken", broken, /LTX6820: .*its pixels can not be unpacked/],
  ] as const) {
    await writeFile(join(root, `${name}.png`), bytes);
    assert.match(await refused(join(root, `${name}.png`), { programs: null }), said);
  }
});

test("what is no file is not opened", async () => {
  const root = await folder();
  await mkdir(join(root, "folder.mp4"));
  spawnSync("mkfifo", [join(root, "pipe.mp4")]);
  await writeFile(join(root, "empty.mp4"), "");
  assert.match(await refused(join(root, "folder.mp4")), /LTX6820: .* is a folder, not a file/);
  assert.match(await refused(join(root, "pipe.mp4")), /LTX6820: .* is a named pipe, not a file/);
  assert.match(await refused(join(root, "empty.mp4")), /LTX6820: .* is empty/);
  assert.match(await refused(join(root, "nothing.mp4")), /LTX6820: .* does not exist/);
});

if (making !== null) {
  const { programs, ffmpeg, raw, source, h264, compare } = making;

  test("each frame is what ffmpeg decodes, in number, size, order and colour", async () => {
    const root = await folder();
    await compare(root, "h264.mp4", [[...source("64x48", "30000/1001", 12), ...h264], 12, "64x48", 30000 / 1001]);
    const odd = "-i 100% %03d 'a\"\n;$(touch ran).mkv";
    await compare(root, odd, [[...source("40x30", "25", 3), "-vf", "scale=41:31", "-c:v", "ffv1"], 3, "41x31", 25]);
    assert.equal(
      (await readdir(root)).filter((name) => name === "ran"),
      [],
    );
  });

  test("frames of unequal length come once each", async () => {
    const path = join(await folder(), "vfr.mkv");
    // Of 20 frames those whose number is no multiple of 3, with their own times.
    const filter = ["-vf", "select=mod(n\\,3)", "-fps_mode", "vfr", "-c:v", "ffv1"];
    ffmpeg([...source("40x30", "25", 12), ...filter, path]);
    const { pictures } = await read(path);
    assert.is(pictures.length, 12);
    assert.ok(joined(pictures).equals(raw(path)));
  });

  test("frames are turned as players show them, and as they are stored if asked", async () => {
    const root = await folder();
    ffmpeg([...source("64x48", "24", 3), ...h264, join(root, "a.mp4")]);
    const path = join(root, "turned.mp4");
    ffmpeg(["-i", join(root, "a.mp4"), "-c", "copy", "-metadata:s:v", "rotate=90", path]);
    const { pictures } = await read(path);
    assert.is(`${pictures[0]?.width}x${pictures[0]?.height}`, "48x64");
    assert.ok(joined(pictures).equals(raw(path)));
    const stored = await read(path, { isTurned: false });
    assert.ok(joined(stored.pictures).equals(raw(path, ["-noautorotate"])));
  });

  test("photos are turned by their EXIF data", async () => {
    const root = await folder();
    ffmpeg([...source("64x48", "24", 1), "-update", "1", join(root, "plain.jpg")]);
    const plain = await readFile(join(root, "plain.jpg"));
    const [stored] = (await read(join(root, "plain.jpg"))).pictures;
    // A TIFF head, one entry: tag 0x0112, type 3, one value.
    const exif = Buffer.from(`ffe1002245786966000049492a00080000000100120103000100000006${"0".repeat(14)}`, "hex");
    const path = join(root, "turned.jpg");
    await writeFile(path, Buffer.concat([plain.subarray(0, 2), exif, plain.subarray(2)]));
    const [picture] = (await read(path)).pictures;
    assert.equal([picture?.width, picture?.height], [48, 64]);
    // A quarter to the right: the first row is the first column from below.
    assert.equal(picture?.bytes.subarray(0, 3), stored?.bytes.subarray(47 * 192, 47 * 192 + 3));
    assert.equal((await read(path, { isTurned: false })).pictures, [stored]);
  });

  test("so are WebP and TIFF pictures, and their profiles are seen", async () => {
    const root = await folder();
    const profile = foreignProfile();
    for (const [name, file] of [
      ["a.webp", webp(profile)],
      ["little.tiff", tiff(true, profile)],
      ["big.tiff", tiff(false, profile)],
    ] as const) {
      const path = join(root, name);
      await writeFile(path, file);
      const { pictures, warnings, isPicture } = await read(path);
      // The first row is the first column from below.
      const bytes = Uint8Array.of(0, 120, 40, 0, 0, 40, 80, 120, 40, 80, 0, 40, 160, 120, 40, 160, 0, 40);
      assert.equal([isPicture, pictures], [true, [{ width: 2, height: 3, bytes }]], name);
      assert.match(warnings.join(), /^LTX6840 .* has the colour profile "of an unknown name"/, name);
      const [stored] = (await read(path, { isTurned: false })).pictures;
      assert.equal([stored?.width, stored?.height], [3, 2], name);
      // Wherever the file ends, it is refused or read.
      for (const length of [9, 21, file.length - 30]) {
        await writeFile(join(root, `cut-${name}`), file.subarray(0, length));
        await read(join(root, `cut-${name}`)).catch((error: unknown) => assert.instance(error, FindingsError));
      }
    }
  });

  test("what is cut off is read as far as it goes, with a warning", async () => {
    const root = await folder();
    const path = join(root, "cut.mp4");
    ffmpeg([...source("64x48", "24", 48), "-c:v", "mpeg4", "-g", "1", "-movflags", "+faststart", path]);
    const { size } = await stat(path);
    await truncate(path, Math.round(size * 0.6));
    const { pictures, warnings } = await read(path);
    assert.ok(pictures.length > 5 && pictures.length < 48, `${pictures.length} frames`);
    assert.match(
      warnings.join(),
      /^LTX6822 .*cut\.mp4 is damaged: \d+ frames were read of the 48 that it claims to have/,
    );
    await truncate(path, 200);
    assert.match(await refused(path), /LTX6820: .*cut\.mp4/);
  });

  test("a claimed length changes nothing but what is expected", async () => {
    const path = join(await folder(), "long.avi");
    ffmpeg([...source("64x48", "24", 5), "-c:v", "mpeg4", path]);
    const file = await open(path, "r+");
    // Frames in the file's head, and in that of the stream.
    const head = (await readFile(path)).subarray(0, 400);
    const claim = Buffer.alloc(4);
    claim.writeUInt32LE(90_000_000);
    await file.write(claim, 0, 4, head.indexOf("avih") + 8 + 16);
    await file.write(claim, 0, 4, head.indexOf("strh") + 8 + 32);
    await file.close();
    const { pictures, claimed } = await read(path);
    assert.is(pictures.length, 5);
    assert.ok((claimed ?? 0) > 1e6, `${claimed} claimed`);
  });

  test("as many frames as wanted", async () => {
    const path = join(await folder(), "clip.mkv");
    ffmpeg([...source("320x240", "25", 10), "-c:v", "ffv1", path]);
    const { pictures } = await read(path, { most: 4 });
    assert.is(pictures.length, 4);
    // Nobody waits for the rest, which is more than a pipe holds.
    const { frames } = await openClip(path, { programs, most: null, onWarning: () => undefined });
    for await (const picture of frames()) {
      assert.is(picture.width, 320);
      break;
    }
  });

  test("pictures of one row are read, songs and files that name others are not", async () => {
    const root = await folder();
    const row = join(root, "row.png");
    ffmpeg([...source("64x48", "24", 1), "-vf", "scale=100000:1", "-update", "1", row]);
    assert.is((await read(row)).pictures[0]?.width, 100_000);
    ffmpeg([...source("64x48", "24", 3), ...h264, join(root, "a.mp4")]);
    await writeFile(join(root, "list.m3u8"), "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.mp4\n#EXT-X-ENDLIST\n");
    await writeFile(join(root, "list.mp4"), "ffconcat version 1.0\nfile a.mp4\n");
    await writeFile(join(root, "notes.txt"), "some words\n".repeat(100));
    await writeFile(join(root, "noise.mp4"), Buffer.alloc(5000, 0x5a));
    ffmpeg(["-f", "lavfi", "-i", "sine=duration=0.2", join(root, "song.mp4")]);
    for (const name of ["list.m3u8", "list.mp4", "notes.txt", "noise.mp4", "song.mp4"])
      assert.match(await refused(join(root, name)), /LTX6820/, name);
  });

  test("frames of another size in the middle are brought to that of the first", async () => {
    const root = await folder();
    const [first, second] = [join(root, "first.ts"), join(root, "second.ts")];
    ffmpeg([...source("64x48", "25", 4), "-c:v", "mpeg2video", first]);
    ffmpeg([...source("96x64", "25", 4), "-c:v", "mpeg2video", second]);
    await appendFile(first, await readFile(second));
    const { pictures } = await read(first);
    assert.ok(joined(pictures).equals(raw(first)));
    assert.ok(pictures.length > 5 && pictures.every(({ width, height }) => width === 64 && height === 48));
  });
}

test.run();
