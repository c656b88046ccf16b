import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { affordable } from "./affordable.ts";

const test = suite("samples that can be read before a run");
const folder = temporaryFolders(test, "affordable");

test("as many as there are bytes for, the first in any case, each file counted once", async () => {
  const cwd = await folder();
  const paths = ["a", "b", "c"].map((name) => join(cwd, name));
  for (const path of paths) await writeFile(path, Buffer.alloc(100));
  const samples = paths.map((path) => ({ name: path, files: { latents: path, mask: path, gone: join(cwd, "gone") } }));
  const count = async (most?: number) => (await affordable(samples, most)).size;
  assert.equal([await count(), await count(250), await count(200), await count(199), await count(0)], [3, 2, 2, 1, 1]);
});

test.run();
