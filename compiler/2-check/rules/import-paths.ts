/** Paths that no import can have, whatever lies there. */
import { posix, win32 } from "node:path";
import type { ImportSyntax } from "../../1-parse/syntax.ts";
import type { Report } from "../report.ts";

/** Why an import is refused. */
export interface Refusal {
  readonly code: "LTX2010" | "LTX2011" | "LTX6507";
  readonly message: string;
  readonly help: string;
}

/** Judges a path by its form alone; null if its form is right. */
export function refusedForm(path: string): Refusal | null {
  if (posix.isAbsolute(path) || win32.isAbsolute(path)) {
    const help = "write a path relative to this file, such as `./edges.ts`";
    return { code: "LTX2010", message: `\`${path}\` is an absolute path`, help };
  }
  if (path.startsWith("node:")) {
    const help = "leave it out: an imported function calculates, and needs no files, network or processes";
    return { code: "LTX2011", message: `\`${path}\` is a module of Node.js`, help };
  }
  if (!/^[a-z][a-z\d+.-]*:/i.test(path)) return null;
  const help = "put the file into the project and write its path, such as `./edges.ts`";
  return { code: "LTX2011", message: `\`${path}\` is a URL`, help };
}

/** Reports the imports of a strategy that are refused by their form, also those that it does not use. */
export function importPaths(imports: readonly ImportSyntax[], report: Report): void {
  for (const path of imports.flatMap(({ from, python }) => [from, python])) {
    const refused = path === null ? null : refusedForm(path.value);
    if (path === null || refused === null) continue;
    report.error(refused.code, path.span, refused.message, { help: refused.help });
  }
}
