import { HEAD_BYTES } from "../kinds/index.ts";
import type { OpenFile } from "../read-bytes.ts";
import { withOpenPt } from "./open.ts";
import { legacySize } from "./legacy.ts";
import { refuseOthers } from "./others.ts";
import type { Refuse } from "./value.ts";

/** Enough for the directory of most samples. */
const TAIL_BYTES = 4096;
/** A directory behind a longer comment than this is not one. */
const LONGEST_TAIL = 2 ** 17;
/** Enough for the pickles of a sample in the older format. */
const FRONT_BYTES = 2 ** 16;

/**
 * Whether a `.pt` file is as long as it says: by the directory at the end of an archive, by the lengths in the older format. Two small
 * reads, whatever the file's size; the contents are not looked at.
 * Errors: FindingsError LTX6110 (not readable), LTX6111 (cut off), LTX6142 (something else).
 */
export function checkWhole(path: string): Promise<void> {
  return withOpenPt(path, checkOpen);
}

async function checkOpen(file: OpenFile, refuse: Refuse): Promise<void> {
  const { size } = file.stats;
  const head = await file.read(0, Math.min(size, HEAD_BYTES));
  refuseOthers(head, size, refuse);
  if (head.toString("latin1", 0, 4) === "PK\x03\x04") {
    const isWhole = (await endsWithDirectory(file, TAIL_BYTES)) || (await endsWithDirectory(file, LONGEST_TAIL));
    if (!isWhole) refuse("LTX6111", "it is cut off: the directory that ends such a file is missing or does not fit");
    return;
  }
  const front = await file.read(0, Math.min(size, FRONT_BYTES));
  const needed = frontSize(front, size, refuse);
  if (needed > size) refuse("LTX6111", `it is cut off: it has ${size} of ${needed} bytes`);
}

/** The bytes that a file of the older format should have; 0 where its front is longer than what was read, so that nothing can be said. */
function frontSize(front: Buffer, size: number, refuse: Refuse): number {
  try {
    return legacySize(front, refuse);
  } catch (error) {
    if (size > front.length) return 0;
    throw error;
  }
}

/** PKWARE's APPNOTE 6.3.10, sections 4.3.12, 4.3.14 and 4.3.16. */
const [ENTRY, END_64, END] = ["PK\x01\x02", "PK\x06\x06", "PK\x05\x06"];

/**
 * Whether the last `length` bytes hold the record that ends an archive, and the directory lies where that record says, right before it.
 * False as well for directories that begin further to the front.
 */
async function endsWithDirectory(file: OpenFile, length: number): Promise<boolean> {
  const { size } = file.stats;
  const start = Math.max(0, size - length);
  const tail = await file.read(start, size - start);
  const end = tail.lastIndexOf(END, undefined, "latin1");
  if (end < 0 || end + 22 > tail.length) return false;
  const wide = tail.lastIndexOf(END_64, end, "latin1");
  const isWide = wide >= 0 && wide + 56 <= end;
  const [bytes, offset] = isWide
    ? [Number(tail.readBigUInt64LE(wide + 40)), Number(tail.readBigUInt64LE(wide + 48))]
    : [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  const at = offset - start;
  return at + bytes === (isWide ? wide : end) && tail.toString("latin1", at, at + 4) === ENTRY;
}
