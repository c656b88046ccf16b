/** Folders that are made for a while. */
import { rmdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** A folder and those above it that do not exist, the innermost first. */
export async function missingFolders(folder: string): Promise<readonly string[]> {
  const isThere = (await stat(folder).catch(() => null)) !== null;
  return isThere || dirname(folder) === folder ? [] : [folder, ...(await missingFolders(dirname(folder)))];
}

/** Removes folders, the innermost first, as far as they are empty: whatever somebody has put into them stays. */
export async function removeEmpty(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    try {
      await rmdir(folder);
    } catch {
      // Somebody has put something into it, and so into those above it.
      return;
    }
  }
}
