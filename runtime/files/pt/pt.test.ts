import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { StorageType } from "../../contract.ts";
import { FindingsError } from "../../findings.ts";
import { isTensor, readPt, toFloat32, withPt, writePt, type PtValue } from "./index.ts";
import { unpickle } from "./pickle.ts";
import { refuseFile } from "./value.ts";
import { zipStored } from "./zip-writer.ts";

const test = suite("pt");
let folder = "";
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ltxc-pt-"));
});
test.after(() => rm(folder, { recursive: true }));

async function codeOf(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return "accepted";
  } catch (error) {
    if (error instanceof FindingsError) return error.findings[0]?.code ?? "";
    throw error;
  }
}

async function codeOfPickle(pickle: string | Buffer, more: { name: string; data: Uint8Array }[] = []) {
  const path = join(folder, "bad.pt");
  const data = typeof pickle === "string" ? Buffer.from(pickle, "latin1") : pickle;
  await writeFile(path, Buffer.concat(zipStored([{ name: "a/data.pkl", data }, ...more])));
  return codeOf(() => readPt(path));
}

test("what is written is read back", async () => {
  const path = join(folder, "sample.pt");
  await writePt(path, {
    latents: { shape: [2, 3], storage: "bfloat16", values: Float32Array.of(1, -2, 0.5, 3, 4, 1.00390625) },
    mask: { shape: [3], storage: "int64", values: Float32Array.of(0, 1, -7) },
    num_frames: 3,
    large: 2 ** 40,
    fps: { float: 24 },
    name: "caf\u00e9",
    nothing: null,
    yes: true,
  });
  const value = (await readPt(path)) as ReadonlyMap<PtValue, PtValue>;
  const [latents = null, mask = null, ...rest] = [...value.values()];
  assert.ok(isTensor(latents) && isTensor(mask));
  assert.equal([latents.shape, latents.stride, latents.storage], [[2, 3], [3, 1], "bfloat16"]);
  // 1 + 2^-8 lies halfway and goes to the even neighbour.
  assert.equal([...toFloat32(latents)], [1, -2, 0.5, 3, 4, 1]);
  assert.equal([...toFloat32(mask)], [0, 1, -7]);
  assert.equal(rest, [3, 2 ** 40, 24, "caf\u00e9", null, true]);
});

test("every type of storage comes back, rounded to what it can hold", async () => {
  const path = join(folder, "types.pt");
  const values = Float32Array.of(-3.75, 0, 1, 2.5);
  const kept: Record<string, number[]> = {
    float64: [-3.75, 0, 1, 2.5],
    float32: [-3.75, 0, 1, 2.5],
    float16: [-3.75, 0, 1, 2.5],
    bfloat16: [-3.75, 0, 1, 2.5],
    int64: [-3, 0, 1, 2],
    int32: [-3, 0, 1, 2],
    int16: [-3, 0, 1, 2],
    int8: [-3, 0, 1, 2],
    uint8: [253, 0, 1, 2],
    bool: [1, 0, 1, 1],
  };
  const types = Object.keys(kept) as StorageType[];
  await writePt(path, Object.fromEntries(types.map((storage) => [storage, { shape: [2, 2], storage, values }])));
  const value = (await readPt(path)) as ReadonlyMap<PtValue, PtValue>;
  for (const [type, expected] of Object.entries(kept)) {
    const tensor = value.get(type) ?? null;
    assert.ok(isTensor(tensor) && tensor.storage === type, type);
    assert.equal([...toFloat32(tensor)], expected, type);
  }
});

test("tensors that are taken stay when the file's memory is used again", async () => {
  const paths = ["one.pt", "two.pt"].map((name) => join(folder, name));
  for (const [i, path] of paths.entries()) {
    const values = Float32Array.of(i, i + 0.5);
    await writePt(path, {
      wide: { shape: [2], storage: "float32", values },
      narrow: { shape: [2], storage: "bfloat16", values },
    });
  }
  const read = (path: string) =>
    withPt(path, (value) => {
      const tensors = value instanceof Map ? [...value.values()].filter(isTensor) : [];
      return tensors.map((tensor) => toFloat32(tensor));
    });
  const first = await read(paths[0] ?? "");
  const second = await read(paths[1] ?? "");
  assert.equal(first.map((values) => [...values]).flat(), [0, 0.5, 0, 0.5]);
  assert.equal(second.map((values) => [...values]).flat(), [1, 1.5, 1, 1.5]);
});

test("files beyond every sample's size are refused unread", async () => {
  const path = join(folder, "huge.pt");
  await writeFile(path, "");
  await truncate(path, 2 ** 32 + 1);
  assert.is(await codeOf(() => readPt(path)), "LTX6113");
});

test("a file that is cut anywhere is refused", async () => {
  const path = join(folder, "whole.pt");
  await writePt(path, { mask: { shape: [2], storage: "float32", values: Float32Array.of(1, 2) } });
  const bytes = await readFile(path);
  const cut = join(folder, "cut.pt");
  for (let length = 0; length < bytes.length; length += 7) {
    await writeFile(cut, bytes.subarray(0, length));
    assert.is(await codeOf(() => readPt(cut)), "LTX6111", `cut at ${length}`);
  }
});

test("no name but those of tensors is accepted, called or not", async () => {
  assert.is(await codeOfPickle("\x80\x02cos\nsystem\nX\x04\0\0\0exit\x85R."), "LTX6112");
  assert.is(await codeOfPickle("\x80\x02cbuiltins\neval\n."), "LTX6112");
  assert.is(await codeOfPickle("\x80\x02ctorch\nFloatStorage\n."), "LTX6112");
  assert.is(await codeOfPickle("\x80\x04\x8c\x02os\x8c\x06system\x93."), "LTX6112");
  assert.is(await codeOfPickle("\x80\x02}}b."), "LTX6112");
});

test("keys of objects stay keys of a map", () => {
  const pickle = Buffer.from("\x80\x02}X\x09\0\0\0__proto__K\x01s.", "latin1");
  assert.equal(unpickle(pickle, refuseFile("x")).value, new Map([["__proto__", 1]]));
  assert.is(Object.hasOwn(Object.prototype, "1"), false);
});

test("keys are plain values, descriptions of a known version", async () => {
  assert.is(await codeOfPickle("\x80\x02}NK\x01s."), "accepted");
  assert.is(await codeOfPickle("\x80\x02})K\x01s."), "LTX6111", "a tuple");
  assert.is(await codeOfPickle("\x80\x02}}K\x01s."), "LTX6111", "a dictionary");
  assert.is(await codeOfPickle("\x80\x05N."), "accepted");
  assert.is(await codeOfPickle("\x80\x06N."), "LTX6111");
});

test("bombs are refused within bounds", async () => {
  assert.is(await codeOfPickle("\x80\x02" + "]".repeat(200_000) + "."), "LTX6113");
  assert.is(await codeOfPickle("\x80\x02" + "]".repeat(150) + "a".repeat(149) + "."), "LTX6113");
  assert.is(await codeOfPickle("\x80\x02]q\0h\0a."), "LTX6113", "a list in itself");
  assert.is(await codeOfPickle("\x80\x02X\xff\xff\xff\xff."), "LTX6111");
  assert.is(await codeOfPickle(Buffer.alloc(5_000_000)), "LTX6113");
});

test("compressed and overlapping entries are refused", async () => {
  const archive = Buffer.concat(zipStored([{ name: "a/data.pkl", data: Buffer.from("\x80\x02N.", "latin1") }]));
  const compressed = Buffer.from(archive);
  const central = compressed.indexOf("PK\x01\x02", 0, "latin1");
  compressed.writeUInt16LE(8, central + 10);
  const path = join(folder, "zip.pt");
  await writeFile(path, compressed);
  assert.is(await codeOf(() => readPt(path)), "LTX6113");
  const two = Buffer.concat(
    zipStored([
      { name: "a/data.pkl", data: Buffer.from("\x80\x02N.", "latin1") },
      { name: "a/data/0", data: Buffer.alloc(8) },
    ]),
  );
  two.writeUInt32LE(0, two.lastIndexOf("PK\x01\x02", undefined, "latin1") + 42);
  await writeFile(path, two);
  assert.is(await codeOf(() => readPt(path)), "LTX6111");
});

test("numbers of another byte order, and endless descriptions, are refused", async () => {
  const none = "\x80\x02N.";
  const order = (text: string) => codeOfPickle(none, [{ name: "a/byteorder", data: Buffer.from(text) }]);
  assert.is(await order("little"), "accepted");
  assert.is(await order("big"), "LTX6111");
  const path = join(folder, "other.pt");
  await writeFile(path, Buffer.concat(zipStored([{ name: "a/other", data: Buffer.from(none, "latin1") }])));
  assert.is(await codeOf(() => readPt(path)), "LTX6142", "no description");
  assert.is(await codeOf(() => readPt(folder)), "LTX6110", "a folder");
});

test("storages and calls are those of tensors", async () => {
  const storage = (fields: string) => `\x80\x02(${fields}tQ0N.`;
  const [kind, type, key] = ["X\x07\0\0\0storage", "ctorch\nByteStorage\n", "X\x01\0\0\x000"];
  const data = [{ name: "a/data/0", data: Buffer.alloc(4) }];
  assert.is(await codeOfPickle(storage(`${kind}${type}${key}NK\x04`), data), "accepted");
  assert.is(await codeOfPickle(storage(`${kind}${type}${key}NK\x04N`), data), "accepted");
  for (const wrong of [`${kind}${type}K\0NK\x04`, `${kind}${key}${key}NK\x04`, `${kind}${type}${key}NX\0\0\0\0`]) {
    assert.is(await codeOfPickle(storage(wrong), data), "LTX6111");
  }
  assert.is(await codeOfPickle(storage(`${key}${type}${key}NK\x04`), data), "LTX6111");
  assert.is(await codeOfPickle(storage(`${kind}${type}${key}NJ\xff\xff\xff\xff`), data), "LTX6111");
  assert.is(await codeOfPickle(storage(`${kind}${type}${key}NK\x04(`), data), "LTX6111", "a view");
  const twice = `\x80\x02(${kind}${type}${key}NK\x04tQ0(${kind}${type}${key}NK\x03tQ0N.`;
  assert.is(await codeOfPickle(twice, data), "LTX6114");
  assert.is(await codeOfPickle("\x80\x02ccollections\nOrderedDict\nK\x01\x85R."), "LTX6112", "called with an argument");
  assert.is(await codeOfPickle("\x80\x02ctorch\nByteStorage\n)R."), "LTX6112", "a call of a storage's type");
  assert.is(await codeOfPickle("\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(NK\0))\x89}tR."), "LTX6111", "no storage");
});

test("a tensor stays within its storage", async () => {
  const tensor = (numel: string, offset: string, shape: string, stride: string) =>
    "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu" +
    `${numel}tQ${offset}(${shape}t(${stride}t\x89}tR.`;
  const data = [{ name: "a/data/0", data: Buffer.alloc(16) }];
  assert.is(await codeOfPickle(tensor("K\x04", "K\0", "K\x02K\x02", "K\x02K\x01"), data), "accepted");
  assert.is(await codeOfPickle(tensor("K\x04", "K\x01", "K\x02K\x02", "K\x02K\x01"), data), "LTX6114");
  assert.is(await codeOfPickle(tensor("K\x05", "K\0", "K\x02", "K\x01"), data), "LTX6114", "storage too short");
  assert.is(await codeOfPickle(tensor("K\x04", "K\0", "X\0\0\0\0", "K\x01"), data), "LTX6114", "a shape of text");
  assert.is(await codeOfPickle(tensor("K\x04", "K\0", "K\x02", "X\0\0\0\0"), data), "LTX6114", "a stride of text");
  assert.is(await codeOfPickle(tensor("K\x04", "K\0", "K\x02", ""), data), "LTX6114", "no stride");
  assert.is(await codeOfPickle(tensor("K\x04", "K\0", "J\xff\xff\xff\x7f", "K\0"), data), "LTX6113");
  assert.is(await codeOfPickle(tensor("K\x04", "J\xff\xff\xff\xff", "K\x01", "K\x01"), data), "LTX6114");
});

test.run();
