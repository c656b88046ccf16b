import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** The virtual environment that `ltxc install torch` makes, in the user's folder for data. Relative folders are ignored, as XDG says. */
export function installedTorch(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const { XDG_DATA_HOME: chosen } = env;
  const data = chosen !== undefined && isAbsolute(chosen) ? chosen : join(env["HOME"] ?? homedir(), ".local", "share");
  return join(data, "ltxc", "torch");
}
