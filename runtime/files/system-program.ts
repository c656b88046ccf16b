/** Programs of the system that `ltxc` calls. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, sep } from "node:path";

/**
 * The path of a program in PATH; null where there is none. Never one that comes with a project: `npm` and `npx` put the project's
 * `node_modules/.bin` in front of PATH, and some users have `.` in it.
 */
export function systemProgram(name: string, path: string): string | null {
  const file = process.platform === "win32" ? `${name}.exe` : name;
  const systems = path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder) && !folder.split(sep).includes("node_modules"));
  return systems.map((folder) => join(folder, file)).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
