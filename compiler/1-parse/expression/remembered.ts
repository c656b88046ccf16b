/** Texts that were read without a finding, so that an editor's next key stroke does not have to read them again. */
import type { MapOffset } from "./parser-base.ts";

/** Enough for the files of a project that are open. */
const MAX_KEPT = 2000;

interface Kept {
  /** With the spans that it has where the text begins at `start`. */
  readonly tree: object;
  readonly start: number;
}

/** In the order of their last use: a Map keeps the order of insertion. */
const kept = new Map<string, Kept>();

/**
 * What `read` makes of a text, read or remembered; `what` says which rule reads it. `isClean` tells afterwards whether `read` found nothing
 * wrong: only then is its tree kept. Trees are never changed, so that callers may share one.
 */
export function remembered<T extends object>(
  { what, text, mapOffset }: { readonly what: string; readonly text: string; readonly mapOffset: MapOffset },
  read: () => T | null,
  isClean: () => boolean,
): T | null {
  const start = mapOffset(0);
  if (!isWrittenAsRead(text, mapOffset, start)) return read();
  const key = `${what} ${text}`;
  const known = kept.get(key);
  // The key names the rule, which decides the type.
  const tree = known === undefined ? read() : (moved(known.tree, start - known.start) as T);
  if (tree !== null && (known !== undefined || isClean())) keep(key, { tree, start });
  return tree;
}

function keep(key: string, entry: Kept): void {
  kept.delete(key);
  kept.set(key, entry);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
}

/** Whether each character stands in the file as in the text: escapes and folded lines leave gaps between spans. */
function isWrittenAsRead(text: string, mapOffset: MapOffset, start: number): boolean {
  for (let i = 1; i <= text.length; i++) if (mapOffset(i) !== start + i) return false;
  return true;
}

/** A tree with every span that far behind. */
function moved<T>(tree: T, by: number): T {
  if (by === 0 || typeof tree !== "object" || tree === null) return tree;
  if (Array.isArray(tree)) return tree.map((each: unknown) => moved(each, by)) as T;
  const copy = { ...(tree as Readonly<Record<string, unknown>>) };
  if (typeof copy["start"] === "number" && typeof copy["end"] === "number")
    return { ...copy, start: copy["start"] + by, end: copy["end"] + by } as T;
  for (const key of Object.keys(copy)) copy[key] = moved(copy[key], by);
  return copy as T;
}
