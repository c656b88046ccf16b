/** Whose a file is. */
import { statSync } from "node:fs";

/** A file or folder of another user. */
export interface Foreign {
  readonly path: string;
  readonly uid: number;
}

/**
 * The files and folders of other users among `paths`. Those of root count as one's own, because root can change this program as well.
 * `SUDO_UID` is the user who called `sudo`. On Windows files have no such owner: nothing is found.
 */
export function foreignAmong(
  paths: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): readonly Foreign[] {
  const me = process.geteuid?.();
  if (me === undefined) return [];
  const own = new Set([0, me, ...(me === 0 ? callerOf(env["SUDO_UID"]) : [])]);
  return [...new Set(paths)].flatMap((path) => {
    const uid = statSync(path, { throwIfNoEntry: false })?.uid ?? me;
    return own.has(uid) ? [] : [{ path, uid }];
  });
}

const callerOf = (uid: string | undefined): number[] => (/^\d{1,10}$/.test(uid ?? "") ? [Number(uid)] : []);
