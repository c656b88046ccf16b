import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../../findings.ts";
import { readTypes, writePt } from "./index.ts";
import { legacySample } from "../../testing/legacy-sample.ts";
import { zipStored } from "./zip-writer.ts";

const test = suite<{ path: string; folder: string }>("shapes");
test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "shapes-"));
  context.path = join(context.folder, "clip.pt");
});
test.after.each(({ folder }) => rm(folder, { recursive: true }));

const write = (path: string) =>
  writePt(path, {
    latents: { shape: [2, 3, 4], storage: "bfloat16", values: new Float32Array(24) },
    num_frames: 3,
    name: "clip",
  });
/** Shapes alone. */
const readShapes = async (path: string) =>
  new Map(Array.from(await readTypes(path), ([key, { shape }]) => [key, shape] as const));

const expected = { latents: [2, 3, 4], num_frames: [3] };

test("tensors have their shapes, numbers themselves, and other entries are left out", async ({ path }) => {
  await write(path);
  assert.equal(Object.fromEntries(await readShapes(path)), expected);
  assert.equal(
    Array.from(await readTypes(path), ([key, { storage }]) => [key, storage]),
    [
      ["latents", "bfloat16"],
      ["num_frames", null],
    ],
  );
});

test("the tensors' contents are not looked at", async ({ path }) => {
  await write(path);
  const whole = await readFile(path);
  const description = whole.indexOf("archive/data/0");
  await writeFile(path, whole.subarray(0, description));
  assert.equal(Object.fromEntries(await readShapes(path)), expected);
});

test("a file whose description does not come first is read as a whole", async ({ path }) => {
  const data = Buffer.from("\x80\x02}X\x01\0\0\0nK\x07s.", "latin1");
  const version = { name: "a/version", data: Buffer.from("3") };
  await writeFile(path, Buffer.concat(zipStored([version, { name: "a/data.pkl", data }])));
  assert.equal(Object.fromEntries(await readShapes(path)), { n: [7] });
  await writeFile(path, legacySample);
  assert.equal((await readShapes(path)).get("view"), [2, 2]);
});

test("what can not be read is said as of the whole file", async ({ path }) => {
  const missing = await readShapes(path).then(
    () => "read",
    (error: unknown) => (error instanceof FindingsError ? error.findings[0]?.code : "bug"),
  );
  assert.is(missing, "LTX6110");
});

test.run();
