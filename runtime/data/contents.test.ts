import { copyFile, open, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { changedFiles, contentsOf } from "./contents.ts";

const test = suite("contents of data files");
const folder = temporaryFolders(test, "contents");

/** 40 samples with a short and a long file. */
async function samplesIn(root: string) {
  const samples = Array.from({ length: 40 }, (_, i) => ({
    name: `${i}.pt`,
    files: { short: join(root, `short-${i}`), long: join(root, `long-${i}`) },
  }));
  for (const [i, { files }] of samples.entries()) {
    await writeFile(files.short, `sample ${i}`);
    await writeFile(files.long, Buffer.alloc(100_000, i));
  }
  return samples;
}

async function setByte(path: string, position: number): Promise<void> {
  const file = await open(path, "r+");
  await file.write(Buffer.of(255), 0, 1, position);
  await file.close();
}

test("files that changed at their ends, in the middle or in size are found; times and copies say nothing", async () => {
  const samples = await samplesIn(await folder());
  const path = (role: "short" | "long", i: number) => samples[i]?.files[role] ?? "";
  const before = await contentsOf(samples);
  assert.is(before["long"]?.length, 8 * 40);
  await utimes(path("long", 1), 1, 1);
  await copyFile(path("long", 2), `${path("long", 2)}.copy`);
  samples[2] = { name: "2.pt", files: { short: path("short", 2), long: `${path("long", 2)}.copy` } };
  assert.equal(changedFiles(before, await contentsOf(samples)), []);
  await setByte(path("long", 5), 0);
  await setByte(path("long", 6), 50_000);
  await setByte(path("long", 7), 99_999);
  await truncate(path("long", 8), 99_000);
  await setByte(path("short", 33), 3);
  const found = changedFiles(before, await contentsOf(samples)).map(({ role, sample }) => `${role} ${sample}`);
  assert.equal(found, ["short 33", "long 5", "long 6", "long 7", "long 8"]);
});

test("a file that can not be read has not changed: it is reported when it is needed", async () => {
  const samples = await samplesIn(await folder());
  const before = await contentsOf(samples);
  samples[3] = { name: "3.pt", files: { short: "/nowhere", long: samples[3]?.files.long ?? "" } };
  assert.equal(changedFiles(before, await contentsOf(samples)), []);
});

test("a file that an optional source has gained or lost has changed", async () => {
  const samples = await samplesIn(await folder());
  const before = await contentsOf(samples);
  const [first, ...rest] = samples;
  const without = [{ name: "0.pt", files: { short: first?.files.short ?? "" } }, ...rest];
  const now = await contentsOf(without);
  assert.equal(changedFiles(before, now), [{ role: "long", sample: 0 }]);
  assert.equal(changedFiles(now, before), [{ role: "long", sample: 0 }]);
});

test.run();
