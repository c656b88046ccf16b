import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../../findings.ts";
import { legacySample } from "../../testing/legacy-sample.ts";
import { temporaryFolders } from "../../testing/temporary-folders.ts";
import { checkWhole, writePt } from "./index.ts";

const test = suite("whole .pt files");
const folder = temporaryFolders(test, "whole");

async function said(content: Buffer | string): Promise<string> {
  const path = join(await folder(), "clip.pt");
  await writeFile(path, content);
  return checkWhole(path).then(
    () => "whole",
    (error: unknown) =>
      error instanceof FindingsError ? `${error.findings[0]?.code} ${error.findings[0]?.message}` : "bug",
  );
}

async function sample(): Promise<Buffer> {
  const path = join(await folder(), "clip.pt");
  await writePt(path, { latents: { shape: [40, 50], storage: "float32", values: new Float32Array(2000) } });
  return readFile(path);
}

test("a file is whole, and wherever it is cut off it is not", async () => {
  const bytes = await sample();
  assert.is(await said(bytes), "whole");
  for (const length of [0, 1, 3, 4, 20, 300, 4096, 5000, bytes.length - 300, bytes.length - 23, bytes.length - 1]) {
    assert.match(await said(bytes.subarray(0, length)), /^LTX61(11|42)/, `cut at ${length}`);
  }
});

test("a piece that is missing in the middle, or more than there should be, is found", async () => {
  const bytes = await sample();
  assert.match(await said(Buffer.concat([bytes.subarray(0, 4000), bytes.subarray(5000)])), /^LTX6111.*cut off/);
  assert.match(await said(Buffer.concat([bytes.subarray(0, 4000), Buffer.alloc(8), bytes.subarray(4000)])), /^LTX6111/);
});

test("files of the older format as well", async () => {
  assert.is(await said(legacySample), "whole");
  for (const cut of [1, 8, 100])
    assert.match(await said(legacySample.subarray(0, -cut)), /^LTX6111/, `${cut} bytes less`);
});

test("what is no file of torch.save is said to be what it is", async () => {
  assert.match(await said("version https://git-lfs.github.com/spec/v1\nsize 9\n"), /^LTX6142.*it is a Git LFS pointer/);
  assert.match(await said("<!DOCTYPE html>"), /^LTX6142.*it is a web page/);
  assert.match(await said(Buffer.alloc(5000)), /^LTX6111.*it holds only zeros/);
  assert.match(await said(""), /^LTX6111.*it is empty/);
});

test.run();
