/** Says when a source of a project has changed: its text, not only its time. */
import { createHash } from "node:crypto";
import { readFileSync, statSync, watch, type FSWatcher } from "node:fs";
import { join } from "node:path";
import { projectFolders } from "./project-folders.ts";

/** Editors write a file in several steps, ms. */
const QUIET = 100;

const MAX_FOLDERS = 200;

const isSource = (name: string): boolean => /\.(strategy|ya?ml|[cm]?[jt]s|py|json)$/.test(name);

/**
 * Calls `onChange` after a source in `root`, or in a folder below it, has got another text, and then nothing has happened for a moment; also
 * when folders come and go. A file that is written again as it was is no change: what watches writes files itself.
 */
export function watchFolders(root: string, onChange: () => void): { close(): void } {
  const texts = new Map<string, string>();
  const touched = new Set<string>();
  let watchers: ReadonlyMap<string, FSWatcher> = new Map();
  let timer: NodeJS.Timeout | null = null;
  const touch = (path: string): void => {
    touched.add(path);
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(look, QUIET);
  };
  const close = (): void => {
    if (timer !== null) clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
  const start = (): void => {
    const folders = [...projectFolders(root)].slice(0, MAX_FOLDERS);
    watchers = new Map(folders.flatMap(({ path }) => watched(path, touch)));
  };
  const look = (): void => {
    const paths = [...touched];
    touched.clear();
    const isWritten = paths.filter((path) => isSource(path) && isNew(texts, path)).length > 0;
    const before = watchers;
    if (paths.some((path) => before.has(path) || isFolder(path))) {
      close();
      start();
    }
    if (isWritten || paths.some((path) => before.has(path) || watchers.has(path))) onChange();
  };
  start();
  return { close };
}

/** Whether a file has another text than when this was asked last. */
function isNew(texts: Map<string, string>, path: string): boolean {
  const text = textOf(path);
  if (texts.get(path) === text) return false;
  texts.set(path, text);
  return true;
}

/** What stands for the text of a file; empty where it is gone. */
function textOf(path: string): string {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("base64");
  } catch {
    return "";
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** A folder that cannot be watched, or is gone, is left out. Of other entries, only that they come and go is told. */
function watched(folder: string, touch: (path: string) => void): [string, FSWatcher][] {
  try {
    const watcher = watch(folder, (event, name) => {
      if (name === null) touch(folder);
      else if (isSource(name) || event === "rename") touch(join(folder, name));
    });
    return [[folder, watcher.on("error", () => {})]];
  } catch {
    return [];
  }
}
