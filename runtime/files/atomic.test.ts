import { spawnSync } from "node:child_process";
import { mkdtemp, open, readdir, readFile, rm, writeFile, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { FindingsError } from "../findings.ts";
import { removeLeftovers, writeAtomically, writeTextAtomically } from "./atomic.ts";

const test = suite<{ folder: string }>("atomic");

test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), "atomic-"));
});
test.after.each(({ folder }) => rm(folder, { recursive: true }));

test("a write that fails leaves the old file and nothing else", async ({ folder }) => {
  const path = join(folder, "a.txt");
  await writeTextAtomically(path, "old");
  const failing = writeAtomically(path, 4, async (sink) => {
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

test("a file is on the disk before it takes its name, and its name before the write is done", async ({ folder }) => {
  const probe = await open(folder, "r");
  const prototype = Object.getPrototypeOf(probe) as { sync: () => Promise<void> };
  await probe.close();
  const { sync } = prototype;
  const seen: string[][] = [];
  prototype.sync = async function (this: FileHandle) {
    const isFolder = (await this.stat()).isDirectory();
    seen.push([isFolder ? "folder" : "file", ...(await readdir(folder)).filter((name) => !name.endsWith(".tmp"))]);
    return sync.call(this);
  };
  try {
    await writeTextAtomically(join(folder, "a.txt"), "new");
  } finally {
    prototype.sync = sync;
  }
  assert.equal(seen, [["file"], ["folder", "a.txt"]]);
});

const messageOf = (action: Promise<unknown>): Promise<string> =>
  action.then(
    () => "written",
    (error: Error) => error.message,
  );

test("a full disk is said with the file, what it needs and what is free", async ({ folder }) => {
  const path = join(folder, "new/a.state");
  for (const code of ["ENOSPC", "EDQUOT"]) {
    const failing = writeAtomically(path, 1_234_567, () => Promise.reject(Object.assign(new Error(), { code })));
    const [, free = ""] = /: it needs 1,234,567 bytes, ([\d,]+) are free/.exec(await messageOf(failing)) ?? [];
    assert.ok(Number(free.replaceAll(",", "")) > 0);
    assert.match(await messageOf(failing), `LTX6190: no space left for ${path}`);
    const [finding] = await failing.then(
      () => [],
      ({ findings }: FindingsError) => findings,
    );
    assert.equal(finding?.path, ["output_dir"]);
    assert.match(finding?.help ?? "", "free some space, or choose another output folder");
    assert.is(/within your quota/.test(finding?.message ?? ""), code === "EDQUOT");
  }
  assert.equal(await readdir(join(folder, "new")), []);
});

test("what the system refuses is said in the user's terms, and what is no refusal is a bug", async ({ folder }) => {
  const path = join(folder, "a.txt");
  const refusedBy = (code: string) =>
    messageOf(writeAtomically(path, 1, () => Promise.reject(Object.assign(new Error("bug"), { code }))));
  for (const code of ["EACCES", "EPERM"])
    assert.match(await refusedBy(code), `LTX6191: ${path} cannot be written: no permission (${code})`);
  assert.match(await refusedBy("EROFS"), `LTX6191: ${path} cannot be written: its file system is read-only`);
  for (const code of ["EIO", "ESTALE", "ENXIO"])
    assert.match(await refusedBy(code), `the connection to it, has failed (${code})`);
  for (const code of ["ENAMETOOLONG", "ELOOP"])
    assert.match(await refusedBy(code), /LTX6191: .*no such folder can be made/);
  assert.is(await refusedBy("EBADF"), "bug");
  await writeFile(path, "");
  const below = await messageOf(writeTextAtomically(join(path, "b.txt"), ""));
  assert.match(below, /LTX6191: .*b\.txt cannot be written: a part of the path is a file where a folder is needed/);
  assert.match(
    await messageOf(writeTextAtomically("/proc/none/b.txt", "")),
    "LTX6191: /proc/none/b.txt cannot be written",
  );
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
