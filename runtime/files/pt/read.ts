import { withMemory } from "../lent-memory.ts";
import type { OpenFile } from "../read-bytes.ts";
import { withOpenPt } from "./open.ts";
import { refuseOthers } from "./others.ts";
import { readLegacy } from "./legacy.ts";
import type { PtValue, Refuse } from "./value.ts";
import { readArchive } from "./zip.ts";

/** Some 100 times as much as the largest samples; older versions of Node can not hold more in one piece. */
const MAX_FILE_BYTES = 2 ** 32;

/**
 * Reads a `.pt` file: the zip format or the older stream of pickles. Nothing in it is executed, and memory stays within the file's size.
 * The file is read in one go, and tensors are views of it.
 * Errors: FindingsError LTX6110 (not readable), LTX6111 (broken or cut off), LTX6112 (holds more than tensors and plain values),
 * LTX6113 (beyond a limit), LTX6114 (a tensor outside of its storage), LTX6151 (content that is not what its checksum says).
 */
export function readPt(path: string): Promise<PtValue> {
  return withFile(path, async (file, refuse) => parse(await file.read(0, file.stats.size), refuse));
}

/** The same for a moment, in half of the time: the tensors' contents are gone once `use` has returned. */
export function withPt<Result>(path: string, use: (value: PtValue) => Result): Promise<Result> {
  return withFile(path, (file, refuse) =>
    withMemory(file.stats.size, async (memory) => use(parse(await file.readInto(memory, 0), refuse))),
  );
}

function withFile<Result>(path: string, read: (file: OpenFile, refuse: Refuse) => Promise<Result>): Promise<Result> {
  return withOpenPt(path, (file, refuse) => {
    const { size } = file.stats;
    if (size > MAX_FILE_BYTES) refuse("LTX6113", `it has ${size} bytes, at most 4 GiB are accepted`);
    return read(file, refuse);
  });
}

function parse(file: Buffer, refuse: Refuse): PtValue {
  refuseOthers(file, file.length, refuse);
  const isArchive = file.toString("latin1", 0, 4) === "PK\x03\x04";
  return isArchive ? readArchive(file, refuse) : readLegacy(file, refuse);
}
