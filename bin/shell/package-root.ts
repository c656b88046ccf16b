import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder of the installed package: the nearest one with a package.json above this file or its bundle. */
export const packageRoot = fileURLToPath(nearest(new URL(".", import.meta.url)));

function nearest(folder: URL): URL {
  return existsSync(new URL("package.json", folder)) ? folder : nearest(new URL("..", folder));
}

/** As in package.json. */
export function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(`${packageRoot}package.json`, "utf8"));
  return manifest.version;
}
