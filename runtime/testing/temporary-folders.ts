import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "uvu";

/** Makes temporary folders for a suite's tests, and removes them when the suite is done. */
export function temporaryFolders(test: Test, prefix: string): () => Promise<string> {
  const made: string[] = [];
  test.after(async () => {
    for (const folder of made) await rm(folder, { recursive: true, force: true });
  });
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), `${prefix}-`));
    made.push(folder);
    return folder;
  };
}
