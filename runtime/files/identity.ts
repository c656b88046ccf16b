import { statSync } from "node:fs";

/**
 * Device, inode, size and time of change of the file at `path`, by which one notices that it was replaced, cut off or written to; null
 * where there is none.
 */
export function identityOf(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : [stats.dev, stats.ino, stats.size, stats.mtimeNs].join();
}
