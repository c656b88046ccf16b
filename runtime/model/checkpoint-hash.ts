import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/** Pieces of a file that are looked at, evenly spread, and the bytes of each: enough to tell checkpoints apart, whatever their size. */
const [PIECES, PIECE_BYTES] = [64, 65536];

/**
 * A hash of a checkpoint's size and of pieces of it, the first and the last among them, `sha256:<hex>`. Files of tens of gigabytes
 * would take minutes to hash as a whole. Errors: those of Node for a file that can not be read.
 */
export async function checkpointHash(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const hash = createHash("sha256").update(`${size}\n`);
    const buffer = Buffer.alloc(PIECE_BYTES);
    const last = Math.max(0, size - PIECE_BYTES);
    for (let i = 0; i < PIECES; i++) {
      const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, Math.floor((last * i) / (PIECES - 1)));
      hash.update(buffer.subarray(0, bytesRead));
    }
    return `sha256:${hash.digest("hex")}`;
  } finally {
    await file.close();
  }
}
