import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where recordings are kept: in the user's folder for caches, below the name of this program's build. Null where the program runs from
 * its sources, of which nothing says whether they still record the same.
 */
export function recordingsFolder(): string | null {
  // Beside what was built alone: a hash of all of it.
  const build = new URL("./build-id.txt", import.meta.url);
  return existsSync(build) ? join(cacheFolder(), "ltxc", "recordings", readFileSync(build, "utf8")) : null;
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME: chosen, LOCALAPPDATA: local } = process.env;
  if (chosen) return chosen;
  if (process.platform === "win32" && local) return local;
  return join(homedir(), process.platform === "darwin" ? "Library/Caches" : ".cache");
}
