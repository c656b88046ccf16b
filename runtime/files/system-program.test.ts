import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { systemProgram } from "./system-program.ts";

const test = suite("programs of the system");
const newFolder = temporaryFolders(test, "programs");
const file = process.platform === "win32" ? "tool.exe" : "tool";

async function program(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, file), "#!/bin/sh\n", { mode: 0o755 });
  return folder;
}

test("the first in PATH, but none that comes with the project", async () => {
  const root = await newFolder();
  const system = await program(join(root, "usr/bin"));
  const theirs = [join(root, "project/node_modules/.bin"), join(root, "node_modules/.bin")];
  for (const folder of theirs) await program(folder);
  const find = (...folders: string[]) => systemProgram("tool", folders.join(delimiter));
  assert.is(find(".", "", "node_modules/.bin", "./bin", ...theirs), null);
  assert.is(find(".", ...theirs, system), join(system, file));
  assert.is(find(join(root, "nowhere"), system), join(system, file));
  assert.is(find(), null);
});

test("a folder, and a file that cannot be run, is no program", async () => {
  if (process.platform === "win32") return;
  const root = await newFolder();
  await mkdir(join(root, "a/tool"), { recursive: true });
  const plain = await program(join(root, "b"));
  await chmod(join(plain, file), 0o644);
  assert.is(systemProgram("tool", [join(root, "a"), plain].join(delimiter)), null);
});

test.run();
