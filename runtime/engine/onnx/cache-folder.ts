import { homedir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Where recordings are kept: in the user's folder for caches, below the name of this program's build. Null where the program runs from
 * its sources, of which nothing says whether they still record the same.
 */
export function recordingsFolder(): string | null {
  // A built file that others load is named by a hash of its contents and of all that it loads.
  const build = /-(\w{8})\.mjs$/.exec(basename(fileURLToPath(import.meta.url)))?.[1];
  return build === undefined ? null : join(cacheFolder(), "ltxc", "recordings", build);
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME: chosen, LOCALAPPDATA: local } = process.env;
  if (chosen) return chosen;
  if (process.platform === "win32" && local) return local;
  return join(homedir(), process.platform === "darwin" ? "Library/Caches" : ".cache");
}
