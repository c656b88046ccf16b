/** The folders of a project in which people write files: without results, and without what others wrote. */
import { readdirSync, type Dirent } from "node:fs";
import { join } from "node:path";

const skipped = new Set(["node_modules", "build", "outputs", "dist"]);
const MAX_DEPTH = 6;

interface Folder {
  readonly path: string;
  readonly entries: readonly Dirent[];
}

/** `root` and the folders below it, each before those that it holds. A folder that may not be read, or is gone, is left out. */
export function* projectFolders(root: string, depth = MAX_DEPTH): Generator<Folder> {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(root, { withFileTypes: true });
  } catch {
    return;
  }
  yield { path: root, entries };
  if (depth === 0) return;
  for (const entry of entries)
    if (entry.isDirectory() && !skipped.has(entry.name) && !entry.name.startsWith("."))
      yield* projectFolders(join(root, entry.name), depth - 1);
}
