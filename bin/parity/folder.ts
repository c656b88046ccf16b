/** The folder of a comparison. */
import { jsonText } from "../../compiler/source/index.ts";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UsageError } from "../shell/exit.ts";
import type { Io } from "../shell/io.ts";
import { refuseNoFolder } from "../shell/write.ts";

/** What a comparison is known by, and where its result goes. */
const RESULT = "parity.json";

/** Everything that a comparison leaves in its folder. */
const OWN =
  /^(parity\.json|start|ltxc|ltx-trainer|ltx-trainer\.log|harness\.(py|json)|train\.json|progress|losses\.\d+)$/;

/**
 * Makes the folder, or empties one of an earlier comparison where that is asked for. Returns it, absolute.
 * @throws UsageError where something else lies there
 */
export async function openFolder(io: Io, path: string, isReplaced: boolean): Promise<string> {
  await refuseNoFolder(io, "--out", path);
  const folder = resolve(io.cwd, path);
  const there = existsSync(folder) ? await readdir(folder) : [];
  if (there.length > 0) {
    const isOwn = there.includes(RESULT);
    const other = "choose another folder with `--out`";
    if (!isOwn) throw new UsageError(`${path} is there already, and holds no comparison`, other);
    if (!isReplaced)
      throw new UsageError(`${path} holds an earlier comparison`, `${other}, or replace it with \`--overwrite\``);
    for (const name of there.filter((each) => OWN.test(each))) await rm(join(folder, name), { recursive: true });
  }
  await mkdir(folder, { recursive: true });
  await writeResult(folder, { isFinished: false });
  return folder;
}

export async function writeResult(folder: string, result: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(join(folder, RESULT), `${jsonText(result, 2)}\n`);
}
