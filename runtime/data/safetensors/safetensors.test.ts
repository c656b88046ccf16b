import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../../findings.ts";
import { openSafetensors, writeSafetensors } from "./index.ts";

const test = suite<{ folder: string }>("safetensors");
test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "safetensors-"));
});
test.after.each(({ folder }) => rm(folder, { recursive: true }));

/** A file of `header` (padded as it is) and `data` bytes. */
async function write(folder: string, header: unknown, data = 0, length?: bigint): Promise<string> {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(json.length));
  const path = join(folder, "file.safetensors");
  await writeFile(path, Buffer.concat([size, json, Buffer.alloc(data)]));
  return path;
}

async function refusal(path: string): Promise<string> {
  try {
    await (await openSafetensors(path)).close();
  } catch (error) {
    assert.instance(error, FindingsError);
    return (error as FindingsError).message;
  }
  return "accepted";
}

const f32 = (shape: number[], start: number, end: number) => ({ dtype: "F32", shape, data_offsets: [start, end] });

test("reads what it writes, in order, with metadata", async ({ folder }) => {
  const path = join(folder, "deep/er/a.safetensors");
  await writeSafetensors(
    path,
    [
      { name: "b", shape: [2, 2], dtype: "F32", data: Float32Array.of(1, 2, 3, 4) },
      { name: "a", shape: [3], dtype: "BF16", data: () => Promise.resolve(Float32Array.of(1, 0.1, -2)) },
      { name: "empty", shape: [0, 4], dtype: "F32", data: new Float32Array(0) },
    ],
    { rank: "4" },
  );
  const file = await openSafetensors(path);
  assert.equal(file.metadata, { rank: "4" });
  assert.equal([...file.tensors.keys()], ["b", "a", "empty"]);
  assert.equal([...(await file.readFloat32("b"))], [1, 2, 3, 4]);
  assert.equal([...(await file.readFloat32("a"))], [1, 0.10009765625, -2]);
  assert.equal((await file.readFloat32("empty")).length, 0);
  await file.close();
  assert.equal(await readdir(join(folder, "deep/er")), ["a.safetensors"]);
});

test("refuses headers that lie", async ({ folder }) => {
  const cases: readonly (readonly [RegExp, () => Promise<string>])[] = [
    [/header claims 1099511627776 bytes/, () => write(folder, {}, 0, 1n << 40n)],
    [/header claims 18446744073709552000/, () => write(folder, {}, 0, (1n << 64n) - 1n)],
    [/header claims 50 bytes, the file has/, () => write(folder, {}, 0, 50n)],
    [/not a JSON object/, () => write(folder, "{")],
    [/not a JSON object/, () => write(folder, "[]")],
    [/not a JSON object/, () => write(folder, "[".repeat(100_000))],
    [/unknown dtype "F3"/, () => write(folder, { a: { ...f32([1], 0, 4), dtype: "F3" } }, 4)],
    [/unknown dtype "toString"/, () => write(folder, { a: { ...f32([1], 0, 4), dtype: "toString" } }, 4)],
    [/no valid shape/, () => write(folder, { a: f32([-1], 0, 4) }, 4)],
    [/no valid shape/, () => write(folder, { a: f32([1.5], 0, 4) }, 4)],
    [/too large/, () => write(folder, { a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4)],
    [/no valid data_offsets/, () => write(folder, { a: { dtype: "F32", shape: [1] } }, 4)],
    [/needs 8 bytes, its data_offsets span 4/, () => write(folder, { a: f32([2], 0, 4) }, 4)],
    [/ends at byte/, () => write(folder, { a: f32([2], 0, 8) }, 4)],
    [/overlaps the one before/, () => write(folder, { a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12)],
    [/gap of 4 bytes/, () => write(folder, { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12)],
    [/4 bytes after the last tensor/, () => write(folder, { a: f32([1], 0, 4) }, 8)],
    [/not a map of texts/, () => write(folder, { __metadata__: { a: 1 } })],
  ];
  for (const [message, make] of cases) assert.match(await refusal(await make()), message);
});

test("a missing file is named", async ({ folder }) => {
  assert.match(await refusal(join(folder, "none.safetensors")), /LTX6180: .*none\.safetensors does not exist/);
});

test("a failed write leaves the old file and no other", async ({ folder }) => {
  const path = join(folder, "a.safetensors");
  await writeSafetensors(path, [{ name: "a", shape: [1], dtype: "F32", data: Float32Array.of(7) }]);
  const before = await readFile(path);
  const broken = {
    name: "b",
    shape: [1],
    dtype: "F32",
    data: () => Promise.reject(Object.assign(new Error(), { code: "ENOSPC" })),
  } as const;
  try {
    await writeSafetensors(path, [{ name: "a", shape: [1], dtype: "F32", data: Float32Array.of(8) }, broken]);
    assert.unreachable();
  } catch (error) {
    assert.match(
      (error as Error).message,
      /LTX6190: no space left for .*a\.safetensors: it needs [\d,]+ bytes, [\d,]+ are free/,
    );
  }
  assert.equal(await readFile(path), before);
  assert.equal(await readdir(folder), ["a.safetensors"]);
});

test("a folder in the way is named", async ({ folder }) => {
  await writeFile(join(folder, "file"), "");
  try {
    await writeSafetensors(join(folder, "file", "a.safetensors"), []);
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /LTX6191: .*cannot be written/);
  }
});

test.run();
