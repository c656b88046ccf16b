// Videos and pictures of many formats, compared with ffmpeg's own raw output; the short test reads two of them.
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { clipMaking, joined, readAll as read, type MadeClip } from "../../testing/clips.ts";

const test = suite("reading all formats");
const folder = temporaryFolders(test, "reading");
const making = clipMaking();
if (making === null) console.log("reading all formats: no ffmpeg here, so nothing is tested");
else {
  const { ffmpeg, raw, source, h264, compare } = making;

  /** By file name: what ffmpeg makes it of; what is read of it. */
  const clips: Readonly<Record<string, MadeClip>> = {
    "h264.mp4": [[...source("64x48", "24", 12), ...h264], 12, "64x48", 24],
    "ntsc.mov": [[...source("66x50", "30000/1001", 7), ...h264], 7, "66x50", 30000 / 1001],
    "odd.mkv": [
      [...source("64x48", "25", 5), "-vf", "scale=63:47", "-c:v", "libx264", "-pix_fmt", "yuv444p"],
      5,
      "63x47",
      25,
    ],
    "lossless.mkv": [[...source("40x30", "25", 4), "-c:v", "ffv1", "-pix_fmt", "gbrp"], 4, "40x30", 25],
    "full-range.mp4": [
      [...source("64x48", "24", 5), "-c:v", "libx264", "-pix_fmt", "yuvj420p", "-color_range", "pc"],
      5,
      "64x48",
      24,
    ],
    "bt709.mp4": [[...source("64x48", "24", 5), ...h264, "-colorspace", "bt709"], 5, "64x48", 24],
    "ten-bits.mkv": [[...source("64x48", "24", 5), "-c:v", "ffv1", "-pix_fmt", "yuv420p10le"], 5, "64x48", 24],
    "stream.ts": [[...source("64x48", "25", 9), "-c:v", "mpeg2video", "-bf", "2"], 9, "64x48", 25],
    "old.avi": [[...source("64x48", "15", 6), "-c:v", "mpeg4"], 6, "64x48", 15],
    "motion.avi": [[...source("64x48", "15", 6), "-c:v", "mjpeg"], 6, "64x48", 15],
    "loop.gif": [[...source("64x48", "10", 5)], 5, "64x48", 10],
    "still.mp4": [[...source("64x48", "24", 1), ...h264], 1, "64x48", 24],
    "-i 100% %03d 'a\"\n;$(touch ran).mkv": [[...source("40x30", "25", 3), "-c:v", "ffv1"], 3, "40x30", 25],
    "picture.bmp": [[...source("40x30", "25", 1)], 1, "40x30", 1],
    "photo %02d.jpg": [[...source("40x30", "25", 1), "-update", "1"], 1, "40x30", 1],
  };

  test("each frame is what ffmpeg decodes, in number, size, order and colour", async () => {
    const root = await folder();
    for (const [name, clip] of Object.entries(clips)) await compare(root, name, clip);
  });

  test("videos are turned to all sides", async () => {
    const root = await folder();
    ffmpeg([...source("64x48", "24", 3), ...h264, join(root, "a.mp4")]);
    for (const [angle, size] of [
      [90, "48x64"],
      [180, "64x48"],
      [270, "48x64"],
    ] as const) {
      const path = join(root, `${angle}.mp4`);
      ffmpeg(["-i", join(root, "a.mp4"), "-c", "copy", "-metadata:s:v", `rotate=${angle}`, path]);
      const { pictures } = await read(path);
      assert.is(`${pictures[0]?.width}x${pictures[0]?.height}`, size);
      assert.ok(joined(pictures).equals(raw(path)));
    }
  });

  test("PNG pictures of all kinds are what ffmpeg reads of them", async () => {
    const root = await folder();
    for (const format of ["gray", "monob", "pal8", "rgb24", "rgba", "ya8", "gray16be", "rgb48be", "rgba64be"]) {
      const path = join(root, `${format}.png`);
      ffmpeg([...source("45x31", "24", 1), "-pix_fmt", format, "-update", "1", path]);
      const [picture] = (await read(path, { programs: null })).pictures;
      const wanted = raw(path);
      const furthest = Math.max(...(picture?.bytes ?? []).map((x, i) => Math.abs(x - (wanted[i] ?? NaN))));
      // Of 16 bits, releases of ffmpeg round differently.
      assert.ok(furthest <= (/16|48|64/.test(format) ? 1 : 0), `${format}: ${furthest}`);
    }
  });
}

test.run();
