import { identityOf } from "../../files/identity.ts";

/** Ends the message about a file that changed. */
export const CHANGED = "was changed while it was in use";

/**
 * Notices when a file that is mapped into memory changes: its numbers would be others, and where it was cut off, reading it ends the
 * process.
 */
export class MappedFiles {
  readonly #known = new Map<string, string | null>();
  /** By session, the files that it reads while it runs. */
  readonly #files = new Map<number, readonly string[]>();

  /** From now on these files must stay as they are. */
  open(session: number, paths: readonly string[]): void {
    this.#files.set(session, paths);
    for (const path of paths) if (!this.#known.has(path)) this.#known.set(path, identityOf(path));
  }

  close(session: number): void {
    this.#files.delete(session);
  }

  /** Says which file of a session is no longer what it was; null where all are. */
  changeOf(session: number): string | null {
    for (const path of this.#files.get(session) ?? []) {
      const now = identityOf(path);
      if (now !== this.#known.get(path))
        return `${path} ${CHANGED} (${now === null ? "it is gone" : "size, time or file"})`;
    }
    return null;
  }

  /** The same for all sessions that are open. */
  change(): string | null {
    return [...this.#files.keys()].map((session) => this.changeOf(session)).find((change) => change !== null) ?? null;
  }

  /** Throws when a file of the session is no longer what it was. */
  check(session: number): void {
    const change = this.changeOf(session);
    if (change !== null) throw new Error(change);
  }

  /** The files of all sessions that are open. */
  get paths(): readonly string[] {
    return [...new Set([...this.#files.values()].flat())];
  }
}
