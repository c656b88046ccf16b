import { execFileSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FindingsError } from "../findings.ts";
import { temporaryFolders } from "../testing/temporary-folders.ts";
import { checkRunFolder } from "./links-out.ts";
import { readPt } from "./pt/index.ts";
import { linesOf, readText, readTextSync, unreadable } from "./regular-file.ts";
import { openSafetensors } from "./safetensors/index.ts";
import { writeTextAtomically } from "./atomic.ts";

const test = suite("regular files");
const folder = temporaryFolders(test, "regular");

async function thrownBy(action: () => unknown): Promise<unknown> {
  try {
    await action();
    return null;
  } catch (error) {
    return error;
  }
}

/** A path for each thing that is no regular file, and what it is called. */
async function others(): Promise<readonly (readonly [path: string, problem: string])[]> {
  const root = await folder();
  const path = (name: string) => join(root, name);
  await mkdir(path("folder"));
  await symlink(path("folder"), path("link"));
  await symlink(path("round"), path("round"));
  await writeFile(path("file"), "");
  execFileSync("mkfifo", [path("pipe")]);
  return [
    [path("folder"), "is a folder, not a file"],
    [path("link"), "is a folder, not a file"],
    [path("round"), "is a link that leads back to itself"],
    [path("pipe"), "is a named pipe, not a file"],
    ["/dev/zero", "is a device, not a file"],
    [path("missing"), "does not exist"],
    [path("file/below"), "does not exist: a part of its path is a file"],
    [path("x".repeat(300)), "cannot exist: the name is too long"],
    [path("a\0b"), "cannot exist: no name holds the character U+0000"],
  ];
}

if (process.platform !== "win32") {
  test("what is no regular file is neither waited for nor read, and is called what it is", async () => {
    for (const [path, problem] of await others()) {
      for (const read of [() => readText(path), () => readTextSync(path), () => linesOf(path, 1000).next()])
        assert.is(unreadable(await thrownBy(read))?.problem, problem, path);
    }
  });

  test("files of tensors are opened in the same way", async () => {
    for (const [path, problem] of await others()) {
      for (const [open, code] of [
        [readPt, "LTX6110"],
        [openSafetensors, "LTX6180"],
      ] as const) {
        const error = await thrownBy(() => open(path));
        if (!(error instanceof FindingsError)) throw error;
        assert.is(error.findings[0]?.code, code);
        assert.match(error.message, problem);
      }
    }
  });

  test("a file is never written over a pipe, and links of a run's folder are followed inside it alone", async () => {
    const root = await folder();
    const codeOf = async (action: () => Promise<unknown>) => {
      const error = await thrownBy(action);
      return error instanceof FindingsError ? error.findings[0]?.code : error;
    };
    execFileSync("mkfifo", [join(root, "pipe")]);
    assert.is(await codeOf(() => writeTextAtomically(join(root, "pipe"), "")), "LTX6193");
    const run = join(root, "run");
    assert.is(await codeOf(() => checkRunFolder(run)), null);
    await mkdir(join(run, "disk"), { recursive: true });
    await mkdir(join(root, "elsewhere"));
    await symlink(run, join(root, "chosen"));
    await symlink("disk", join(run, "checkpoints"));
    assert.is(await codeOf(() => checkRunFolder(join(root, "chosen"))), null);
    await symlink(join(root, "elsewhere"), join(run, "samples"));
    assert.is(await codeOf(() => checkRunFolder(run)), "LTX6192");
    for (const [name, make] of [
      ["training_config.yaml", (path: string) => symlink(join(root, "not-there"), path)],
      ["tensorboard", (path: string) => symlink(join(root, "elsewhere"), path)],
    ] as const) {
      const other = await folder();
      await make(join(other, name));
      assert.is(await codeOf(() => checkRunFolder(other)), "LTX6192", name);
    }
    const wrong = await folder();
    execFileSync("mkfifo", [join(wrong, "metrics.jsonl")]);
    assert.is(await codeOf(() => checkRunFolder(wrong)), "LTX6193");
  });
}

test("a file that is too large is refused before it is read, with both numbers", async () => {
  const path = join(await folder(), "a");
  await writeFile(path, "x".repeat(2000));
  assert.is(await readText(path, 2000), "x".repeat(2000));
  for (const read of [() => readText(path, 1999), () => readTextSync(path, 1999), () => linesOf(path, 1999).next()]) {
    const why = unreadable(await thrownBy(read));
    assert.is(why?.problem, "is too large: it has 2,000 bytes, and at most 1,999 are read");
  }
});

if (process.platform === "linux")
  test("a file that says it is empty is read, and stopped at the limit", async () => {
    assert.match(await readText("/proc/self/status"), /^Name:/);
    assert.match(readTextSync("/proc/self/status"), /^Name:/);
    const why = unreadable(await thrownBy(() => readText("/proc/self/status", 10)));
    assert.is(why?.problem, "is too large: it has more than 10 bytes, the most that are read");
  });

test("lines come one by one, of long ones the beginning, and an unfinished one at the end", async () => {
  const path = join(await folder(), "lines");
  const long = "y".repeat(600_000);
  await writeFile(path, `a\n\n${long}\nµ\r\nlast`);
  const lines: string[] = [];
  for await (const line of linesOf(path, 2 ** 20, 500_000)) lines.push(line);
  assert.equal(lines, ["a", "", long.slice(0, 500_000), "µ\r", "last"]);
});

test("what says nothing about a file is not explained", () => {
  assert.is(unreadable(new TypeError("a bug")), null);
});

test.run();
