import { closeSync, read, type Stats } from "node:fs";
import { promisify } from "node:util";
import { openRegular } from "./regular-file.ts";

/**
 * A file that is open for reading. Opening and reading wait for the disk, or for the network, and leave the process free meanwhile; what
 * an open file is and closing it do not, and are done at once, which takes a third of the time for small files.
 */
export interface OpenFile {
  readonly stats: Stats;
  /** `length` bytes at `position`, in memory of their own, so that typed arrays find an aligned start; fewer only where the file ends. */
  read(position: number, length: number): Promise<Buffer>;
  /** Fills `memory` from `position` on; less of it only where the file ends. */
  readInto(memory: Buffer, position: number): Promise<Buffer>;
  close(): void;
}

/** One read takes at most 2 GiB, larger ranges take several. */
const MAX_READ = 2 ** 30;

const readDescriptor = promisify(read);

/** Errors: those of the system, and where it is no regular file; `unreadable` has the words for all of them. */
export async function openFile(path: string): Promise<OpenFile> {
  const { descriptor, stats } = await openRegular(path);
  return {
    stats,
    read: (position, length) => fill(Buffer.allocUnsafeSlow(length), descriptor, position),
    readInto: (memory, position) => fill(memory, descriptor, position),
    close: () => closeSync(descriptor),
  };
}

async function fill(memory: Buffer, descriptor: number, position: number): Promise<Buffer> {
  let filled = 0;
  while (filled < memory.length) {
    const wanted = Math.min(MAX_READ, memory.length - filled);
    const { bytesRead } = await readDescriptor(descriptor, memory, filled, wanted, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return memory.subarray(0, filled);
}
