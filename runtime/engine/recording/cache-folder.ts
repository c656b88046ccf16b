import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * The id of this program's build, a hash of all of it. Null where it runs from its sources: nothing tells whether they still record and
 * compute the same.
 */
export function buildId(): string | null {
  // Only a build has this file next to it.
  const build = new URL("./build-id.txt", import.meta.url);
  return existsSync(build) ? readFileSync(build, "utf8") : null;
}

/** Where recordings are saved: in the user's cache folder, under the id of the build. Null without one, or without a folder of the user's own. */
export function recordingsFolder(): string | null {
  const [cache, build] = [cacheFolder(), buildId()];
  return cache !== null && build !== null ? join(cache, "ltxc", "recordings", build) : null;
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
