import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openSafetensors, writeSafetensors } from "../files/safetensors/index.ts";
import { FindingsError } from "../findings.ts";
import { fillDisk } from "../testing/full-disk.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { keepQuantized, whyNotUsed } from "./quantized-cache.ts";
import { quantizedWeights, QuantizingStopped, type OnInterrupt } from "./quantized-file.ts";

const test = suite("cache of quantized weights");
const folder = temporaryFolders(test, "ltxc-quantized");

const name = "transformer_blocks.0.ff.net.2.weight";

/** Opens the quantized weights of a small model with this cache folder; gives what was told. */
async function open(cache: string, onInterrupt: OnInterrupt = () => () => {}): Promise<readonly string[]> {
  const path = join(cache, "model.safetensors");
  const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i));
  if (!existsSync(path))
    await writeSafetensors(path, [{ name, shape: [32, 128], dtype: "F32", data: async () => data }], {});
  const model = await openSafetensors(path);
  const told: string[] = [];
  const before = process.env["XDG_CACHE_HOME"];
  process.env["XDG_CACHE_HOME"] = cache;
  try {
    await quantizedWeights(model, { to: "int8-quanto", names: [name], tell: (text) => told.push(text), onInterrupt });
  } finally {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
    await model.close();
  }
  return told;
}

const filesIn = (cache: string): readonly string[] => readdirSync(join(cache, "ltxc", "quantized")).toSorted();
const fileIn = (cache: string): string => join(cache, "ltxc", "quantized", filesIn(cache)[0] ?? "");

test("a full disk is said of the cache folder, not of the run's output", async () => {
  const cache = await folder();
  await open(cache);
  const path = fileIn(cache);
  rmSync(path);
  const restore = await fillDisk(cache);
  try {
    await open(cache);
    assert.unreachable();
  } catch (error) {
    const found = (error as FindingsError).findings.map(({ code, path: at, help }) => [code, at.join("."), help]);
    const help =
      "free some space there, or let the variable XDG_CACHE_HOME name a folder of your own with room for half of the model's size";
    assert.equal(found, [["LTX6190", "acceleration.quantization", help]]);
  } finally {
    restore();
  }
  assert.equal(existsSync(path), false);
});

test("weights are quantized once, and again where the file is damaged, cut off, or may be of others", async () => {
  const cache = await folder();
  assert.match((await open(cache)).join(), /^quantizing weights to int8-quanto/);
  assert.equal(await open(cache), []);
  const path = fileIn(cache);
  const whole = readFileSync(path);
  const damages: readonly (readonly [string, () => void])[] = [
    ["is damaged", () => writeFileSync(path, whole.with(whole.length - 1, (whole.at(-1) ?? 0) ^ 1))],
    ["is damaged", () => truncateSync(path, whole.length - 4)],
    ["is damaged", () => writeFileSync(`${path}.code`, "")],
    ["can be written by other users", () => chmodSync(path, 0o666)],
  ];
  for (const [why, damage] of damages) {
    damage();
    if (process.platform === "win32" && why.startsWith("can")) continue;
    const [first = "", second = ""] = await open(cache);
    assert.is(first, `${path} ${why}: the weights are quantized anew`);
    assert.match(second, /^quantizing weights/);
    assert.equal([readFileSync(path).equals(whole), await open(cache)], [true, []]);
  }
});

test("a file of another model or method under this name is not used", async () => {
  const cache = await folder();
  await open(cache);
  const path = fileIn(cache);
  const whole = readFileSync(path);
  const { tensors, metadata, read, close } = await openSafetensors(path);
  const stored = await Promise.all(
    [...tensors].map(async ([own, { shape, dtype }]) => ({ name: own, shape, dtype, data: await read(own) })),
  );
  await close();
  for (const other of [{ quantization: "fp8-quanto" }, { base: "0123" }]) {
    await writeSafetensors(path, stored, { ...metadata, ...other });
    await keepQuantized(path);
    assert.is((await open(cache))[0], `${path} is of another model or method: the weights are quantized anew`);
    assert.ok(readFileSync(path).equals(whole));
  }
});

test("a folder in the place of the file is told before anything is quantized", async () => {
  const cache = await folder();
  await open(cache);
  const path = fileIn(cache);
  for (const place of [path, `${path}.code`]) {
    rmSync(place);
    mkdirSync(place);
    const error: unknown = await open(cache).catch((e: unknown) => e);
    assert.ok(error instanceof FindingsError);
    assert.equal([error.findings[0]?.code, error.findings[0]?.message.split(" ")[0]], ["LTX6198", place]);
    rmSync(place, { recursive: true });
    await open(cache);
  }
});

test("a signal stops the quantization and leaves nothing, and what killed processes left is removed", async () => {
  const cache = await folder();
  let listening = 0;
  const atOnce: OnInterrupt = (listener) => {
    listening++;
    listener();
    return () => void listening--;
  };
  const error: unknown = await open(cache, atOnce).catch((e: unknown) => e);
  assert.ok(error instanceof QuantizingStopped);
  assert.equal([filesIn(cache), listening], [[], 0]);
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const left = (writer: number) => `.de22.safetensors.${writer}.0.tmp`;
  for (const writer of [pid, process.pid])
    writeFileSync(join(cache, "ltxc", "quantized", left(writer)), "", { mode: 0o600 });
  await open(cache);
  assert.equal(
    filesIn(cache).filter((file) => file.endsWith(".tmp")),
    [left(process.pid)],
  );
});

test("what was not used for long, or is more than a few, is deleted when a file is made", async () => {
  const cache = await folder();
  await open(cache);
  const path = fileIn(cache);
  const made = (other: string, days: number) => {
    const own = join(path, "..", `${other}.safetensors`);
    for (const file of [own, `${own}.code`]) writeFileSync(file, "", { mode: 0o600 });
    const time = new Date(Date.now() - days * 24 * 3600 * 1000);
    utimesSync(own, time, time);
  };
  ["a", "b", "c", "d"].forEach((other, i) => made(other, i + 1));
  made("old", 100);
  writeFileSync(join(path, "..", "notes.txt"), "");
  await keepQuantized(path);
  const left = filesIn(cache).filter((file) => file.endsWith(".safetensors") && join(path, "..", file) !== path);
  assert.equal(left, ["a.safetensors", "b.safetensors", "c.safetensors"]);
  assert.ok(filesIn(cache).includes("notes.txt"));
  assert.is(filesIn(cache).filter((file) => file.endsWith(".code")).length, 4);
  assert.is(await whyNotUsed(path), null);
});

test("a file that is used counts as new", async () => {
  const cache = await folder();
  await open(cache);
  const path = fileIn(cache);
  utimesSync(path, new Date(0), new Date(0));
  await open(cache);
  assert.ok(statSync(path).mtimeMs > 0);
  assert.is(await whyNotUsed(join(cache, "nothing")), "");
});

test.run();
