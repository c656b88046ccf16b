import type { FileHandle } from "node:fs/promises";

/** `length` bytes at `position`; fewer only where the file ends. */
export async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  // Own memory, not Node's pool: typed arrays need an aligned start.
  const buffer = Buffer.from(new ArrayBuffer(length));
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
