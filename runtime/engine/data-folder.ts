import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where `ltxc install` keeps what belongs to an engine: in the user's folder for data. Relative folders are ignored, as XDG says. */
export function dataFolder(engine: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  const { XDG_DATA_HOME: chosen } = env;
  const data = chosen !== undefined && isAbsolute(chosen) ? chosen : join(env["HOME"] ?? homedir(), ".local", "share");
  return join(data, "ltxc", engine);
}
