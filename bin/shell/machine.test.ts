import { chmod, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolders } from "../../runtime/testing/temporary-folders.ts";
import { ffmpegVersion } from "./machine.ts";

const test = suite("machine");
const newFolder = temporaryFolders(test, "machine");

async function versionOf(script: string | null): Promise<string | null> {
  const { PATH: before } = process.env;
  const folder = await newFolder();
  if (script !== null) {
    await writeFile(join(folder, "ffmpeg"), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, "ffmpeg"), 0o755);
  }
  process.env["PATH"] = script === null ? folder : `${folder}${delimiter}${before}`;
  try {
    return await ffmpegVersion();
  } finally {
    process.env["PATH"] = before;
  }
}

if (process.platform !== "win32")
  test("ffmpeg is asked for its version, and nothing else that it prints is repeated", async () => {
    assert.is(await versionOf("echo ffmpeg version 7.1-static Copyright"), "7.1-static");
    assert.is(await versionOf("printf 'ffmpeg version \\033[31m7'"), null);
    assert.is(await versionOf("exit 1"), null);
  });

test("without ffmpeg there is no version", async () => assert.is(await versionOf(null), null));

test.run();
