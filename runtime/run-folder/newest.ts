import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { OutputPattern } from "../config/output-folder.ts";
import { workIn } from "./contents.ts";

/**
 * The newest of the folders that match an `output_dir` with `{date}` or `{time}`: by the times in their names, or by what lies in them
 * where the names have no date. Null if none holds a run.
 */
export async function newestRun({ root, depth, path: pattern }: OutputPattern): Promise<string | null> {
  let best: { readonly folder: string; readonly key: string } | null = null;
  for (const folder of await foldersBelow(root, depth)) {
    const groups = pattern.exec(folder)?.groups;
    const work = groups === undefined ? null : await workIn(folder);
    if (groups === undefined || work === null) continue;
    const written = work.date.toISOString();
    const number = (groups["number"] ?? "1").padStart(6, "0");
    const key = groups["date"] === undefined ? written : [groups["date"], groups["time"], number, written].join(" ");
    if (best === null || key > best.key) best = { folder, key };
  }
  return best?.folder ?? null;
}

async function foldersBelow(root: string, depth: number): Promise<readonly string[]> {
  if (depth === 0) return [root];
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const inner = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  const found = await Promise.all(inner.map(({ name }) => foldersBelow(join(root, name), depth - 1)));
  return found.flat();
}
