import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../../findings.ts";
import { bitFlips } from "../../testing/byte-edits.ts";
import { openSafetensors, writeSafetensors, type OutputTensor } from "./index.ts";

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

test("every dtype is read as float32", async ({ folder }) => {
  const bytes = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer);
  const tensors = {
    F64: [bytes(Float64Array.of(0.1, -2)), [Math.fround(0.1), -2]],
    F32: [bytes(Float32Array.of(0.5, -2)), [0.5, -2]],
    F16: [bytes(Uint16Array.of(0x3c00, 0xc100)), [1, -2.5]],
    BF16: [bytes(Uint16Array.of(0x3f80, 0xc020)), [1, -2.5]],
    I64: [bytes(BigInt64Array.of(-1n, 2n ** 40n)), [-1, 2 ** 40]],
    U64: [bytes(BigUint64Array.of(1n, 2n ** 63n)), [1, 2 ** 63]],
    I32: [bytes(Int32Array.of(-7, 7)), [-7, 7]],
    U32: [bytes(Uint32Array.of(7, 2 ** 31)), [7, 2 ** 31]],
    I16: [bytes(Int16Array.of(-7, 7)), [-7, 7]],
    U16: [bytes(Uint16Array.of(7, 65535)), [7, 65535]],
    I8: [bytes(Int8Array.of(-7, 7)), [-7, 7]],
    U8: [Uint8Array.of(7, 255), [7, 255]],
    BOOL: [Uint8Array.of(0, 1), [0, 1]],
  } as const;
  const path = join(folder, "all.safetensors");
  const list = Object.entries(tensors).map(([name, [data]]) => ({ name, shape: [2], dtype: name, data }));
  await writeSafetensors(path, list as unknown as OutputTensor[]);
  const file = await openSafetensors(path);
  for (const [name, [, values]] of Object.entries(tensors)) {
    assert.equal([...(await file.readFloat32(name))], [...values], name);
  }
  await file.close();
});

test("a header of more than a first read, and a file that shrinks", async ({ folder }) => {
  const path = join(folder, "long.safetensors");
  const data = new Float32Array(1000).fill(3);
  const list = (["F32", "BF16"] as const).map((dtype) => ({ name: dtype, shape: [1000], dtype, data }));
  await writeSafetensors(path, list, { note: "x".repeat(100_000) });
  const file = await openSafetensors(path);
  assert.is(file.metadata["note"]?.length, 100_000);
  assert.equal(await file.readFloat32("BF16"), data);
  await truncate(path, 101_000);
  for (const name of ["F32", "BF16"]) {
    const message = await file.readFloat32(name).then(String, String);
    assert.match(message, /LTX6181.*it became shorter while it was read/);
  }
  await file.close();
});

test("a tensor's data must fit its shape, and float32 values are rounded to what is written of them", async ({
  folder,
}) => {
  const path = join(folder, "a.safetensors");
  const wrong = (tensor: OutputTensor) => writeSafetensors(path, [tensor]).then(String, String);
  const data = Float32Array.of(1, 2, 3);
  assert.match(await wrong({ name: "a", shape: [2], dtype: "F32", data }), /a: 12 bytes for shape \[2\] of F32/);
  assert.match(await wrong({ name: "a", shape: [3], dtype: "F64", data }), /written as F32 or BF16, not F64/);
  assert.equal(await readdir(folder), []);
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

/** The code of the finding with which a file is refused, on opening it or by its checksum. */
async function verdict(path: string): Promise<string> {
  try {
    const file = await openSafetensors(path);
    await file.verify().finally(() => file.close());
    return "right";
  } catch (error) {
    assert.instance(error, FindingsError);
    return (error as FindingsError).findings[0]?.code ?? "";
  }
}

test("each bit of a file counts for its checksum", async ({ folder }) => {
  const path = join(folder, "a.safetensors");
  const data = Float32Array.of(1, 2, 3, 4);
  await writeSafetensors(path, [{ name: "x", shape: [4], dtype: "F32", data }], { step: "7" });
  assert.is(await verdict(path), "right");
  const bytes = await readFile(path);
  for (const flipped of bitFlips(bytes, bytes.length)) {
    await writeFile(path, flipped);
    assert.match(await verdict(path), /^LTX61(50|81)$/);
  }
});

test("files of several chunks have their checksum; one that another program has copied along does not count", async ({
  folder,
}) => {
  const path = join(folder, "a.safetensors");
  const data = new Float32Array(2.5e6).fill(1);
  await writeSafetensors(path, [{ name: "x", shape: [data.length], dtype: "F32", data }]);
  assert.is(await verdict(path), "right");
  const bytes = await readFile(path);
  bytes[9_000_000] = 1;
  await writeFile(path, bytes);
  assert.is(await verdict(path), "LTX6150");
  const metadata = { "ltxc.checksum": `sha256:${"0".repeat(64)}`, mine: "1" };
  const foreign = await write(folder, { __metadata__: metadata, x: f32([1], 0, 4) }, 4);
  assert.is(await verdict(foreign), "right");
  const file = await openSafetensors(foreign);
  assert.equal(file.metadata, { mine: "1" });
  await file.close();
});

test("a missing file is named", async ({ folder }) => {
  assert.match(await refusal(join(folder, "none.safetensors")), /LTX6180: .*none\.safetensors does not exist/);
});

test("a failed write leaves the old file and no other", async ({ folder }) => {
  const path = join(folder, "a.safetensors");
  await writeSafetensors(path, [{ name: "a", shape: [1], dtype: "F32", data: Float32Array.of(7) }]);
  const before = await readFile(path);
  const whole = join(folder, "whole.safetensors");
  const fine = ["a", "b"].map((name) => ({ name, shape: [1], dtype: "F32" as const, data: Float32Array.of(8) }));
  await writeSafetensors(whole, fine);
  const { size } = await stat(whole);
  await rm(whole);
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
      new RegExp(`LTX6190: no space left for .*a\\.safetensors: it needs ${size} bytes, [\\d,]+ are free`),
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
