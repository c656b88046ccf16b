import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where recordings are saved: in the user's cache folder, under the id of this program's build. Null where the program runs from its
 * sources: nothing tells whether they still record the same graphs.
 */
export function recordingsFolder(): string | null {
  // Only a build has this file next to it: a hash of the whole program.
  const build = new URL("./build-id.txt", import.meta.url);
  return existsSync(build) ? join(cacheFolder(), "ltxc", "recordings", readFileSync(build, "utf8")) : null;
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME: chosen, LOCALAPPDATA: local } = process.env;
  if (chosen) return chosen;
  if (process.platform === "win32" && local) return local;
  return join(homedir(), process.platform === "darwin" ? "Library/Caches" : ".cache");
}
