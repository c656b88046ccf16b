import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openSafetensors, writeSafetensors } from "../files/safetensors/index.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { keepQuantized, whyNotUsed } from "./quantized-cache.ts";
import { quantizedWeights } from "./quantized-file.ts";

const test = suite("cache of quantized weights");
const folder = temporaryFolders(test, "ltxc-quantized");

const name = "transformer_blocks.0.ff.net.2.weight";

/** Opens the quantized weights of a small model with this cache folder; gives what was told. */
async function open(cache: string): Promise<readonly string[]> {
  const path = join(cache, "model.safetensors");
  const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i));
  if (!existsSync(path))
    await writeSafetensors(path, [{ name, shape: [32, 128], dtype: "F32", data: async () => data }], {});
  const model = await openSafetensors(path);
  const told: string[] = [];
  const before = process.env["XDG_CACHE_HOME"];
  process.env["XDG_CACHE_HOME"] = cache;
  try {
    await quantizedWeights(model, { to: "int8-quanto", names: [name], tell: (text) => told.push(text) });
  } finally {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
    await model.close();
  }
  return told;
}

const filesIn = (cache: string): readonly string[] => readdirSync(join(cache, "ltxc", "quantized")).toSorted();
const fileIn = (cache: string): string => join(cache, "ltxc", "quantized", filesIn(cache)[0] ?? "");

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
