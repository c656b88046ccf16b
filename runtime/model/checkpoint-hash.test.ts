import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { checkpointHash } from "./checkpoint-hash.ts";

const test = suite("checkpoint hash");
const newFolder = temporaryFolders(test, "checkpoint-hash");

test("files of other content, length or end have other hashes", async () => {
  const path = join(await newFolder(), "x.safetensors");
  const hashOf = async (bytes: Uint8Array) => {
    await writeFile(path, bytes);
    return checkpointHash(path);
  };
  const size = 5_000_000;
  const zeros = await hashOf(new Uint8Array(size));
  assert.match(zeros, /^sha256:[0-9a-f]{64}$/);
  assert.is(await hashOf(new Uint8Array(size)), zeros);
  const others = [new Uint8Array(size + 1), new Uint8Array(size).fill(1, size - 1), new Uint8Array(size).fill(1, 0, 1)];
  const hashes = [zeros, await hashOf(new Uint8Array(0))];
  for (const bytes of others) hashes.push(await hashOf(bytes));
  assert.is(new Set(hashes).size, 5);
});

test.run();
