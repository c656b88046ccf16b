/**
 * The checksum of a safetensors file that ltxc writes: SHA-256 of all its bytes, with zeros in place of the checksum's own digits. It is
 * the first entry of the metadata, so its digits stand at a fixed place. The spaces behind the colons tell it from an entry that another
 * program has copied into a file of its own, which belongs to another content: serializers leave them out.
 */
import { createHash, type Hash } from "node:crypto";
import type { OpenFile } from "../read-bytes.ts";

export const CHECKSUM_KEY = "ltxc.checksum";

const OPENING = `{"__metadata__": {"${CHECKSUM_KEY}": "sha256:`;
const DIGITS = 64;
const BLANK = "0".repeat(DIGITS);
/** Where the digits begin in the file, behind the header's length. */
export const DIGITS_AT = 8 + OPENING.length;

/** The beginning of a header in JSON, up to and with the checksum, whose digits are left blank. */
export const BLANK_OPENING = `${OPENING}${BLANK}"`;

/** The digits in the text of a header; null where there is no checksum of ltxc. */
export function checksumIn(header: string): string | null {
  const end = OPENING.length + DIGITS;
  return header.startsWith(OPENING) && header[end] === '"' ? header.slice(OPENING.length, end) : null;
}

export const newChecksum = (): Hash => createHash("sha256");

const CHUNK_BYTES = 2 ** 22;

/** The checksum of the file's content as it is now. Memory: two chunks. The next chunk is read while one is hashed. */
export async function checksumOf(file: OpenFile, onBytes: (count: number) => void = () => {}): Promise<string> {
  const hash = newChecksum();
  const { size } = file.stats;
  const length = Math.min(CHUNK_BYTES, size);
  const chunks = [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(length)] as const;
  const readAt = (at: number) => {
    const memory = chunks[(at / CHUNK_BYTES) % 2] ?? chunks[0];
    return file.readInto(memory.subarray(0, Math.min(length, Math.max(0, size - at))), at);
  };
  let next = readAt(0);
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    const chunk = await next;
    next = readAt(at + CHUNK_BYTES);
    if (at === 0) chunk.write(BLANK, DIGITS_AT, "latin1");
    hash.update(chunk);
    onBytes(chunk.length);
  }
  await next;
  return hash.digest("hex");
}
