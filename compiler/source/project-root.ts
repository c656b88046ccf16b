/** The project of a strategy: the folder whose files it may import and extend. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";

/** What marks the root of a project. */
const marks = ["package.json", ".git", "train.yaml"];

/** The nearest folder, from the absolute `folder` upward, with a package.json, a .git or a train.yaml; without one, `folder` itself. */
export function projectRootOf(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (marks.some((name) => existsSync(join(at, name)))) return at;
    if (at === dirname(at)) return folder;
  }
}

/** Whether a path is `folder` or lies below it, with all links followed; false for what does not exist. */
export function isWithin(folder: string, path: string): boolean {
  const [from, to] = [realPath(folder), realPath(path)];
  if (from === null || to === null) return false;
  const way = relative(from, to);
  return way !== ".." && !way.startsWith("../") && !way.startsWith("..\\") && !isAbsolute(way);
}

/** The path without links; null where nothing is. */
function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
