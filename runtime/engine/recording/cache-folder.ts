import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Where recordings are saved: in the user's cache folder, under the id of this program's build. Null where the program runs from its
 * sources, since nothing tells whether they still record the same graphs, and where the user has no folder of their own.
 */
export function recordingsFolder(): string | null {
  // Only a build has this file next to it: a hash of the whole program.
  const build = new URL("./build-id.txt", import.meta.url);
  const cache = cacheFolder();
  return cache !== null && existsSync(build) ? join(cache, "ltxc", "recordings", readFileSync(build, "utf8")) : null;
}

/** Relative folders are ignored, as the XDG Base Directory Specification says: they would lie in whatever folder a command is called. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string | null {
  const { XDG_CACHE_HOME: chosen, LOCALAPPDATA: local } = env;
  if (chosen !== undefined && isAbsolute(chosen)) return chosen;
  if (process.platform === "win32" && local !== undefined && isAbsolute(local)) return local;
  const home = homeFolder();
  return isAbsolute(home) ? join(home, process.platform === "darwin" ? "Library/Caches" : ".cache") : null;
}

/** Empty for a user who has none. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}
