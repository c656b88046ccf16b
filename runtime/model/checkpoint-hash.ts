import { createHash } from "node:crypto";
import { openFile } from "../files/read-bytes.ts";

/** Pieces of a file that are looked at, evenly spread, and the bytes of each: enough to tell checkpoints apart, whatever their size. */
const [PIECES, PIECE_BYTES] = [64, 65536];

/**
 * A hash of a checkpoint's size and of pieces of it, the first and the last among them, `sha256:<hex>`. Files of tens of gigabytes
 * would take minutes to hash as a whole. Errors: those of `openFile`.
 */
export async function checkpointHash(path: string): Promise<string> {
  const file = await openFile(path);
  try {
    const { size } = file.stats;
    const hash = createHash("sha256").update(`${size}\n`);
    const memory = Buffer.alloc(PIECE_BYTES);
    const last = Math.max(0, size - PIECE_BYTES);
    for (let i = 0; i < PIECES; i++) {
      hash.update(await file.readInto(memory, Math.floor((last * i) / (PIECES - 1))));
    }
    return `sha256:${hash.digest("hex")}`;
  } finally {
    file.close();
  }
}
