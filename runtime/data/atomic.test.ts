import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { removeLeftovers, writeAtomically, writeTextAtomically } from "./atomic.ts";

const test = suite<{ folder: string }>("atomic");

test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "atomic-"));
});
test.after.each(({ folder }) => rm(folder, { recursive: true }));

test("a write that fails leaves the old file and nothing else", async ({ folder }) => {
  const path = join(folder, "a.txt");
  await writeTextAtomically(path, "old");
  const failing = writeAtomically(path, async (sink) => {
    await sink(Buffer.from("half"));
    throw new RangeError("broken off");
  });
  const error = await failing.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, RangeError);
  assert.is(await readFile(path, "utf8"), "old");
  assert.equal(await readdir(folder), ["a.txt"]);
});

test("what a killed process had begun to write is removed; what a living one writes stays, and so does everything else", async ({
  folder,
}) => {
  const { pid: ended } = spawnSync(process.execPath, ["-e", "0"]);
  const names = [`.w.safetensors.${ended}.0.tmp`, `.w.safetensors.${process.pid}.0.tmp`, `w.${ended}.0.tmp`, ".tmp"];
  for (const name of names) await writeFile(join(folder, name), "");
  await removeLeftovers(folder);
  assert.equal((await readdir(folder)).toSorted(), names.slice(1).toSorted());
  await removeLeftovers(join(folder, "missing"));
});

test.run();
