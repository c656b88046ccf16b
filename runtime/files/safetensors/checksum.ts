/**
 * The checksum of a safetensors file that ltxc writes: SHA-256 of all its bytes, with zeros in place of the checksum's own digits. It is
 * the first entry of the metadata, so its digits stand at a fixed place. No serializer writes spaces before colons: they tell it from an
 * entry that another program has copied into a file of its own, which belongs to another content.
 */
import { createHash, type Hash } from "node:crypto";
import type { OpenFile } from "../read-bytes.ts";
import type { OnChunk } from "./on-chunk.ts";

export const CHECKSUM_KEY = "ltxc.checksum";

const [FIRST, SECOND] = ['{"__metadata__" : {', `"${CHECKSUM_KEY}" : "sha256:`] as const;
const OPENING = FIRST + SECOND;
const DIGITS = 64;
const BLANK = "0".repeat(DIGITS);
/** Where the digits begin in the file, behind the header's length. */
export const DIGITS_AT = 8 + OPENING.length;

/** The beginning of a header in JSON, up to and with the checksum, whose digits are left blank. */
export const BLANK_OPENING = `${OPENING}${BLANK}"`;

/** The digits in the text of a header; empty where they are damaged themselves, null where there is no checksum of ltxc. */
export function checksumIn(header: string): string | null {
  // Damage to one half leaves the other.
  if (!header.startsWith(FIRST) && !header.startsWith(SECOND, FIRST.length)) return null;
  return header.startsWith(OPENING) ? header.slice(OPENING.length, OPENING.length + DIGITS) : "";
}

export const newChecksum = (): Hash => createHash("sha256");

const CHUNK_BYTES = 2 ** 22;

/**
 * The checksum of the file's content as it is now. Memory: two chunks; the next one is read while one is hashed.
 * @param cuts offsets in ascending order at which a chunk begins
 */
export async function checksumOf(file: OpenFile, cuts: readonly number[] = [], onChunk?: OnChunk): Promise<string> {
  const hash = newChecksum();
  const { size } = file.stats;
  const length = Math.min(CHUNK_BYTES, size);
  const [even, odd] = [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(length)];
  const ranges = rangesOf(size, cuts);
  const read = (i: number) => {
    const { start = 0, end = 0 } = ranges[i] ?? {};
    return file.readInto((i % 2 === 0 ? even : odd).subarray(0, end - start), start);
  };
  let next = read(0);
  for (const [i, { start }] of ranges.entries()) {
    const chunk = await next;
    next = read(i + 1);
    onChunk?.(chunk, start);
    if (start === 0) chunk.write(BLANK, DIGITS_AT, "latin1");
    hash.update(chunk);
  }
  await next;
  return hash.digest("hex");
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** The file in pieces of at most a chunk. */
function rangesOf(size: number, cuts: readonly number[]): readonly Range[] {
  const starts = [0, ...cuts];
  return starts.flatMap((from, i) => {
    const to = Math.min(size, starts[i + 1] ?? size);
    const count = Math.max(0, Math.ceil((to - from) / CHUNK_BYTES));
    return Array.from({ length: count }, (_, k) => {
      const start = from + k * CHUNK_BYTES;
      return { start, end: Math.min(to, start + CHUNK_BYTES) };
    });
  });
}
