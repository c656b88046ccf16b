/** Keeps what a run writes inside its folder. The folder itself may be a link: whoever wrote `output_dir` chose where that leads. */
import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { fail, type Finding } from "../findings.ts";
import { otherKind } from "./regular-file.ts";

/** What runs write directly below `output_dir`; what lies deeper is made by the run itself. */
const folders = ["checkpoints", "samples", "samples/latents", "samples/audio_latents", "tensorboard", "strategy"];
const files = ["metrics.jsonl", "training_config.yaml"];

const place: Finding["path"] = ["output_dir"];

/**
 * Looks at every place below a run's folder where the run writes, replaces or deletes.
 * Errors: FindingsError LTX6192 (a link that leads out of the folder), LTX6193 (something else where a file or a folder belongs).
 */
export async function checkRunFolder(outputDirectory: string): Promise<void> {
  for (const name of [...folders, ...files]) {
    const path = join(outputDirectory, name);
    const target = await leadsOut(outputDirectory, path);
    if (target !== null) {
      const help =
        "remove the link; if the run is to be stored elsewhere, write that folder as `output_dir`, or make `output_dir` itself a link to it";
      fail("LTX6192", `${path} is a link that leads out of the run's folder, to ${target}`, help, place);
    }
    await checkKind(path, files.includes(name));
  }
}

async function checkKind(path: string, isFile: boolean): Promise<void> {
  const info = await stat(path).catch(() => null);
  if (info === null || (isFile ? info.isFile() : info.isDirectory())) return;
  const kind = otherKind(info) ?? "a file";
  fail(
    "LTX6193",
    `${path} is ${kind}, and the run has ${isFile ? "a file" : "a folder"} of that name`,
    "remove or rename it, or choose another `output_dir`",
    place,
  );
}

/** Where a path below `folder` leads if that is outside of it, by a link at its end or on the way; null if it stays inside. */
export async function leadsOut(folder: string, path: string): Promise<string | null> {
  const root = await realpath(folder).catch(() => null);
  if (root === null) return null;
  const real = await realpath(path).catch(() => null);
  if (real !== null) return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep) ? null : real;
  // Nothing is there, or a link to nothing, which would be made where it points to.
  const info = await lstat(path).catch(() => null);
  return info?.isSymbolicLink() === true ? readlink(path) : null;
}
