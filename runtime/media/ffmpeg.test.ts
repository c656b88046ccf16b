import { spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { replaceAtomically } from "../files/atomic.ts";
import { FindingsError } from "../findings.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { findFfmpeg, rateOf, videoArguments, writeVideo } from "./ffmpeg.ts";

const test = suite("videos by ffmpeg");
const folder = temporaryFolders(test, "ffmpeg");
const ffmpeg = findFfmpeg();
if (ffmpeg === null) console.log("videos by ffmpeg: no ffmpeg here, so only what does not need it is tested");

const format = { width: 64, height: 32, fps: 24 };

/** Red on the left, blue on the right, a green bar at the top that grows with each frame. */
function frame(t: number): Uint8Array {
  const pixel = (i: number): readonly number[] => {
    const [x, y] = [i % 64, Math.floor(i / 64)];
    return y < 8 * t ? [0, 200, 0] : x < 32 ? [220, 10, 10] : [10, 10, 220];
  };
  return Uint8Array.from(Array.from({ length: 64 * 32 }, (_, i) => pixel(i)).flat());
}

async function* frames(count: number): AsyncGenerator<Uint8Array> {
  for (let t = 0; t < count; t++) yield frame(t);
}

async function failure(made: Promise<void>): Promise<string> {
  const error: unknown = await made.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FindingsError)) throw error ?? new Error("nothing was thrown");
  return error.message;
}

test("rates of film and television are written as the fractions that they are", () => {
  assert.equal([24, 23.976, 23.976023976, 29.97, 59.94, 12.5, 1].map(rateOf), [
    "24",
    "24000/1001",
    "24000/1001",
    "30000/1001",
    "60000/1001",
    "12.5",
    "1",
  ]);
});

test("a file name is an argument of its own, with its protocol in front", () => {
  const args = videoArguments({ width: 63, height: 31, fps: 24 }, "/tmp/-i http:x");
  assert.is(args.at(-1), "file:/tmp/-i http:x");
  assert.ok(args.includes("pad=ceil(iw/2)*2:ceil(ih/2)*2"));
});

test("a program that fails, ends early or is not there is said, and leaves nothing", async () => {
  const root = await folder();
  const program = join(root, "ffmpeg");
  const out = join(root, "clip.mp4");
  const many = frames(2000);
  await writeFile(program, '#!/bin/sh\necho "Unknown encoder libx264" >&2\nexit 1\n', { mode: 0o755 });
  const made = replaceAtomically(out, (temporary) => writeVideo(program, temporary, format, many));
  assert.match(await failure(made), /LTX6811: ffmpeg could not write the video: Unknown encoder libx264/);
  const missing = writeVideo(join(root, "nowhere"), out, format, frames(1));
  assert.match(await failure(missing), /LTX6811: .*ENOENT/);
  assert.equal(await readdir(root), ["ffmpeg"]);
});

test("a decoder that throws ends the program, and the old file stays", async () => {
  const root = await folder();
  const [program, out] = [join(root, "ffmpeg"), join(root, "clip.mp4")];
  await writeFile(program, "#!/bin/sh\nexec cat > /dev/null\n", { mode: 0o755 });
  await writeFile(out, "old");
  async function* broken() {
    yield frame(0);
    throw new Error("out of memory");
  }
  const made = replaceAtomically(out, (temporary) => writeVideo(program, temporary, format, broken()));
  const error: unknown = await made.catch((thrown: unknown) => thrown);
  assert.match(String(error), /out of memory/);
  assert.is(await readFile(out, "utf8"), "old");
  assert.equal((await readdir(root)).toSorted(), ["clip.mp4", "ffmpeg"]);
});

if (ffmpeg !== null) {
  test("frames come back in number, size, orientation and colour", async () => {
    const out = join(await folder(), "clip.mp4");
    await writeVideo(ffmpeg, out, format, frames(4));
    const args = ["-v", "error", "-i", `file:${out}`, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"];
    const { stdout } = spawnSync(ffmpeg, args);
    assert.is(stdout.length, 4 * 64 * 32 * 3);
    for (let t = 0; t < 4; t++) {
      const wanted = frame(t);
      // In the middle of areas of one colour: compression blurs edges.
      for (const [x, y] of [
        [12, 2],
        [12, 28],
        [52, 28],
        [52, 12],
      ] as const)
        for (let c = 0; c < 3; c++) {
          const at = 3 * (64 * y + x) + c;
          const [is, was] = [stdout[t * wanted.length + at] ?? NaN, wanted[at] ?? NaN];
          assert.ok(Math.abs(is - was) < 24, `frame ${t}, ${x}, ${y}, colour ${c}: ${is}, expected ${was}`);
        }
    }
  });
}

test.run();
