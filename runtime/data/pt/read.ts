import { open } from "node:fs/promises";
import { readBytes } from "./bytes.ts";
import { readLegacy } from "./legacy.ts";
import { refuseFile, type PtValue } from "./value.ts";
import { readArchive } from "./zip.ts";

/**
 * Reads a `.pt` file: the zip format or the older stream of pickles. Nothing in it is executed, and memory stays within the file's size.
 * Errors: FindingsError LTX6110 (not readable), LTX6111 (broken or cut off), LTX6112 (holds more than tensors and plain values),
 * LTX6113 (beyond a limit), LTX6114 (a tensor outside of its storage).
 */
export async function readPt(path: string): Promise<PtValue> {
  const refuse = refuseFile(path);
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) =>
    refuse("LTX6110", `it can not be opened (${error.code ?? error.message})`, "check the path and its permissions"),
  );
  try {
    const info = await file.stat();
    if (!info.isFile()) refuse("LTX6110", "it is not a file", "check the path");
    const isArchive = (await readBytes(file, 0, Math.min(4, info.size))).toString("latin1") === "PK\x03\x04";
    return isArchive ? await readArchive(file, info.size, refuse) : await readLegacy(file, info.size, refuse);
  } finally {
    await file.close();
  }
}
