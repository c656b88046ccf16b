import { statSync } from "node:fs";

/** Ends the message about a file that changed. */
export const CHANGED = "was changed while it was in use";

/**
 * Notices when a file that is mapped into memory changes: its numbers would be others, and where it was cut off, reading it ends the
 * process without a word.
 */
export class MappedFiles {
  readonly #known = new Map<string, string>();

  /** Throws when one of the files is no longer what it was when it was first given. */
  check(paths: readonly string[]): void {
    for (const path of paths) {
      const now = identityOf(path);
      const known = this.#known.get(path) ?? now;
      this.#known.set(path, known);
      if (now !== known) throw new Error(`${path} ${CHANGED} (${now === "" ? "it is gone" : "size, time or file"})`);
    }
  }
}

/** Device, inode, size and time of change; empty for a file that is not there. */
function identityOf(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? "" : [stats.dev, stats.ino, stats.size, stats.mtimeNs].join();
}
