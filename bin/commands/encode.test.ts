import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isTensor, openSafetensors, readPt, toFloat32 } from "../../runtime/files/index.ts";
import { openEngine } from "../../runtime/engine/index.ts";
import { openEncoder } from "../../runtime/media/encode-clip.ts";
import { encodePng } from "../../runtime/media/png.ts";
import { fitToBucket } from "../../runtime/media/pixels/fit.ts";
import { encodeWhole } from "../../runtime/media/vae/encode-tiles.ts";
import { clipMaking, readAll } from "../../runtime/testing/clips.ts";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import { writeTinyVae } from "../../runtime/testing/tiny-vae.ts";
import { ltxc } from "../testing/testing.ts";

const test = suite("ltxc encode");
const newFolder = temporaryFolders(test, "encode");
const making = clipMaking();
if (making === null) console.log("ltxc encode: no ffmpeg here, so nothing that reads a video is tested");
const PATH = process.env["PATH"] ?? "";

async function folder(): Promise<string> {
  const cwd = await newFolder();
  await writeTinyVae(join(cwd, "vae.safetensors"));
  return cwd;
}

const encode = (cwd: string, args: readonly string[], path = PATH) =>
  ltxc(["encode", ...args, "--vae", "vae.safetensors", "--engine", "wasm"], { cwd, env: { PATH: path } });

function picture(width: number, height: number): Buffer {
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => Math.round(127 + 120 * Math.sin(i / 40)));
  return encodePng({ width, height, pixels });
}

async function stored(path: string) {
  const file = await readPt(path);
  if (!(file instanceof Map)) throw new Error(`${path} is no dictionary`);
  const latents = file.get("latents");
  if (latents === undefined || !isTensor(latents)) throw new Error(`${path} holds no latents`);
  const others = Object.fromEntries([...file].filter(([key]) => key !== "latents"));
  return { shape: latents.shape, storage: latents.storage, values: toFloat32(latents), others };
}

/** What the encoder makes of a file's pixels, all at once. */
async function expected(cwd: string, name: string, [width, height, frames]: readonly [number, number, number]) {
  const { engine } = await openEngine("wasm");
  const encoder = await openEncoder(engine, join(cwd, "vae.safetensors"));
  const { pictures } = await readAll(join(cwd, name));
  const [first] = pictures;
  const clip = { height: first?.height ?? 0, width: first?.width ?? 0, frames: pictures.map(({ bytes }) => bytes) };
  const latent = await encodeWhole(engine, encoder).encode(fitToBucket(clip, { frames, height, width }));
  encoder.dispose();
  return latent;
}

function close(actual: Float32Array, wanted: ArrayLike<number>): void {
  assert.is(actual.length, wanted.length);
  // Stored in bfloat16, with 8 bits.
  actual.forEach((x, i) => assert.ok(Math.abs(x - (wanted[i] ?? NaN)) < 0.01 * Math.max(1, Math.abs(x)), `${i}`));
}

test("a picture becomes latents without ffmpeg, as the official preprocessing stores them", async () => {
  const cwd = await folder();
  await mkdir(join(cwd, "pictures/more"), { recursive: true });
  await writeFile(join(cwd, "pictures/more/a.b.png"), picture(70, 40));
  const { code, out, err } = await encode(cwd, ["pictures"], "");
  assert.is(code, 0, err);
  assert.is(out, "latents/more/a.b.pt: 64 x 32, 1 frame, latents [8, 1, 1, 2]\n");
  const { shape, storage, values, others } = await stored(join(cwd, "latents/more/a.b.pt"));
  assert.equal([shape, storage, others], [[8, 1, 1, 2], "bfloat16", { num_frames: 1, height: 1, width: 2, fps: 1 }]);
  assert.ok(new Set(values).size > 8 && values.every(Number.isFinite));
});

test("sizes come from the buckets, and what is cut off is said", async () => {
  const cwd = await folder();
  await writeFile(join(cwd, "wide.png"), picture(96, 32));
  await writeFile(join(cwd, "small.png"), picture(20, 20));
  const buckets = ["--resolution-buckets", "32x64x1 ; 64x64x9"];
  const { code, out, err } = await encode(cwd, ["wide.png", "small.png", ...buckets], "");
  assert.is(code, 0, err);
  assert.match(err, /warning\[LTX6827\]: .*wide\.png has pictures of 96 x 32 pixels, and 83 % of each is cut off/);
  assert.match(out, /^latents\/small\.pt: 32 x 64, 1 frame/m);
  close((await stored(join(cwd, "latents/wide.pt"))).values, (await expected(cwd, "wide.png", [32, 64, 1])).data);
  const none = await encode(cwd, ["small.png", "--out", "o"], "");
  assert.match(none.err, /LTX6826.*20 x 20 pixels, less than a latent cell, which has 32 x 32/);
  const short = await encode(cwd, ["wide.png", "--resolution-buckets", "64x64x9", "--out", "o"], "");
  assert.match(short.err, /LTX6825.*wide\.png has 1 frame, and the shortest bucket takes 9/);
  assert.equal((await readdir(cwd)).includes("o"), false);
});

test("wrong command lines say what to write", async () => {
  const cwd = await folder();
  await writeFile(join(cwd, "a.png"), picture(32, 32));
  await writeFile(join(cwd, "a.jpg"), "");
  for (const [args, said] of [
    [["nowhere.mp4"], /nowhere\.mp4 does not exist/],
    [["a.png", "a.jpg"], /would become the same file/],
    [["a.png", "--resolution-buckets", "64x64"], /`64x64` is not WxHxF/],
    [["a.png", "--resolution-buckets", "60x64x1"], /the width 60 is no multiple of 32/],
    [["a.png", "--resolution-buckets", "64x64x8"], /8 frames are not 1 more than a multiple of 8/],
    [["a.png", "--keep", "--force"], /--keep/],
  ] as const) {
    const { code, err } = await encode(cwd, args, "");
    assert.is(code, 2, err);
    assert.match(err, said);
  }
  assert.match((await ltxc(["encode", "a.png"], { cwd })).err, /--vae/);
  assert.match((await ltxc(["encode", "a.png", "--vae", "a.png"], { cwd })).err, /LTX62\d\d/);
});

test("what is there stays unless asked, and goes on where it was interrupted", async () => {
  const cwd = await folder();
  for (const name of ["a", "b"]) await writeFile(join(cwd, `${name}.png`), picture(32, 32));
  await mkdir(join(cwd, "latents"));
  await writeFile(join(cwd, "latents/a.pt"), "old");
  const refused = await encode(cwd, ["a.png", "--json"], "");
  assert.is(refused.code, 1);
  assert.match(refused.out, /LTX6814/);
  const kept = await encode(cwd, ["a.png", "b.png", "--keep"], "");
  assert.equal([kept.code, kept.out], [0, "latents/b.pt: 32 x 32, 1 frame, latents [8, 1, 1, 1]\n"]);
  assert.is(await readFile(join(cwd, "latents/a.pt"), "utf8"), "old");
  assert.is((await encode(cwd, ["a.png", "--force"], "")).code, 0);
  assert.ok((await stat(join(cwd, "latents/a.pt"))).size > 100);
});

test("damaged files are said, and the others are made", async () => {
  const cwd = await folder();
  await writeFile(join(cwd, "good.png"), picture(32, 32));
  await writeFile(join(cwd, "bad.png"), picture(32, 32).subarray(0, 90));
  await writeFile(join(cwd, "empty.mp4"), "");
  spawnSync("mkfifo", [join(cwd, "pipe.mp4")]);
  const { code, out } = await encode(cwd, ["bad.png", "empty.mp4", "pipe.mp4", "good.png", "--json"], "");
  assert.is(code, 1);
  const said = JSON.parse(out) as { diagnostics: { code: string; path: string }[]; encoded: { path: string }[] };
  assert.equal(
    said.diagnostics.map((each) => `${each.path} ${each.code}`),
    ["bad.png LTX6820", "empty.mp4 LTX6820", "pipe.mp4 LTX6820"],
  );
  assert.equal(
    said.encoded.map(({ path }) => path),
    ["latents/good.pt"],
  );
});

if (making !== null) {
  const { ffmpeg, source } = making;

  test("a clip becomes the latents of its frames, in pieces as at once", async () => {
    const cwd = await folder();
    ffmpeg([...source("80x48", "30000/1001", 20), "-c:v", "ffv1", join(cwd, "clip.mkv")]);
    const { code, out, err } = await encode(cwd, ["clip.mkv", "--resolution-buckets", "64x32x17;64x32x33"]);
    assert.is(code, 0, err);
    assert.match(out, /^latents\/clip\.pt: 64 x 32, 17 frames, 29\.97 per second, latents \[8, 3, 1, 2\]$/m);
    const { values, others } = await stored(join(cwd, "latents/clip.pt"));
    assert.equal(others, { num_frames: 3, height: 1, width: 2, fps: 30000 / 1001 });
    close(values, (await expected(cwd, "clip.mkv", [64, 32, 17])).data);
    const own = await encode(cwd, ["clip.mkv", "--format", "safetensors"]);
    assert.match(own.out, /^latents\/clip\.safetensors: 64 x 32, 17 frames/m);
    const file = await openSafetensors(join(cwd, "latents/clip.safetensors"));
    assert.equal([file.tensors.get("latents")?.shape, file.metadata["num_frames"]], [[8, 3, 1, 2], "3"]);
    await file.close();
  });

  test("odd names are names, and nothing else", async () => {
    const cwd = await folder();
    ffmpeg([...source("32x32", "24", 1), "-c:v", "ffv1", join(cwd, "clip.mkv")]);
    await mkdir(join(cwd, "odd"));
    const names = ["-i", "a b\n'c\" ;$(touch ran) %03d", "http:x"];
    for (const name of names) spawnSync("cp", ["--", join(cwd, "clip.mkv"), join(cwd, "odd", `${name}.mkv`)]);
    const { code, err } = await encode(cwd, ["odd"]);
    assert.is(code, 0, err);
    assert.equal((await readdir(join(cwd, "latents"))).toSorted(), names.map((name) => `${name}.pt`).toSorted());
    assert.equal((await readdir(cwd)).includes("ran"), false);
  });

  test("progress with the time that is left", async () => {
    const cwd = await folder();
    ffmpeg([...source("32x32", "24", 17), "-c:v", "ffv1", join(cwd, "clip.mkv")]);
    const options = { cwd, env: { PATH }, columns: 80 };
    const { err } = await ltxc(["encode", "clip.mkv", "--vae", "vae.safetensors", "--engine", "wasm"], options);
    assert.match(err, /clip\.mkv \(1 of 1\): 1 of 17 frames, .* left/);
  });
}

test.run();
