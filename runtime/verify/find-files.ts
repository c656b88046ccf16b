import { lstat, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { otherKind } from "../files/regular-file.ts";
import { isRecordingFile } from "../engine/recording/saved-recordings.ts";

export type FileKind = "pt" | "safetensors" | "state" | "metrics" | "recording";

/** A file whose kind can be verified. */
export interface FoundFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly bytes: number;
}

export interface FoundFiles {
  /** By path. */
  readonly files: readonly FoundFile[];
  /** Files of other kinds, and what is no regular file and has no name of those that are verified. */
  readonly others: number;
  /** What has such a name and is no regular file, with what it is: "a named pipe". */
  readonly unfit: readonly { readonly path: string; readonly what: string }[];
  /** Links, which are not followed. */
  readonly links: number;
  /** Folders that can not be read, with the system's code. */
  readonly closed: readonly { readonly path: string; readonly reason: string }[];
}

/** Of other programs, with many files. */
const skippedFolders = new Set([".git", "node_modules"]);

/** What a file is, by its name; null for other kinds. Names with `._` are those of macOS's companions, which hold no data. */
function kindOf(name: string): FileKind | null {
  if (name.startsWith("._")) return null;
  if (name === "metrics.jsonl") return "metrics";
  if (isRecordingFile(name)) return "recording";
  const [, ending] = /\.(pt|safetensors|state)$/.exec(name) ?? [];
  return (ending as "pt" | "safetensors" | "state" | undefined) ?? null;
}

/** The files at a path, or anywhere below it. Null if there is nothing. */
export async function findFiles(path: string): Promise<FoundFiles | null> {
  const info = await stat(path).catch(() => null);
  if (info === null) return null;
  if (info.isDirectory()) return below(path);
  const [kind, what] = [kindOf(basename(path)), otherKind(info)];
  const files = kind === null || what !== null ? [] : [{ path, kind, bytes: info.size }];
  const unfit = what === null ? [] : [{ path, what }];
  return { files, others: 1 - files.length - unfit.length, links: 0, closed: [], unfit };
}

async function below(root: string): Promise<FoundFiles> {
  const files: FoundFile[] = [];
  const closed: { path: string; reason: string }[] = [];
  const unfit: { path: string; what: string }[] = [];
  let [others, links] = [0, 0];
  for (const folders = [root]; folders.length > 0;) {
    const folder = folders.pop() ?? root;
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      closed.push({ path: folder, reason: error.code ?? error.message });
      return [];
    });
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const kind = entry.isDirectory() ? null : kindOf(entry.name);
      if (entry.isSymbolicLink()) links++;
      else if (kind !== null) {
        const info = await lstat(path).catch(() => null);
        const what = info === null ? null : otherKind(info);
        if (what === null) files.push({ path, kind, bytes: info?.size ?? 0 });
        else unfit.push({ path, what });
      } else if (!entry.isDirectory()) others++;
      else if (!skippedFolders.has(entry.name)) folders.push(path);
    }
  }
  return { files: files.toSorted(byPath), others, links, closed, unfit: unfit.toSorted(byPath) };
}

const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1);
