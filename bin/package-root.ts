import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder of the installed package; this file stands one level below it as a source and as a bundle alike. */
export const packageRoot = fileURLToPath(new URL("..", import.meta.url));

/** As in package.json. */
export function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(`${packageRoot}package.json`, "utf8"));
  return manifest.version;
}
