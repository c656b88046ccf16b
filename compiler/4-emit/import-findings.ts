import type { CheckedImport } from "../2-check/checked.ts";
import { Bag } from "../diagnostics/bag.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { locate, type SourceFile } from "../source/source-file.ts";
import type { ImportProblem } from "./bundle.ts";
import { importPath } from "./typescript/module.ts";

/** What is wrong with imported files, each at the import that names the file. */
export function importFindings(
  imports: readonly CheckedImport[],
  problems: readonly ImportProblem[],
  file: SourceFile,
): readonly Diagnostic[] {
  const bag = new Bag();
  const pathOf = ({ from, span }: CheckedImport) => importPath(locate(file, span.start).file.path, from);
  for (const { place, message, importedPath } of problems) {
    const owner = imports.find((entry) => pathOf(entry) === importedPath) ?? imports[0];
    if (owner === undefined) continue;
    const what = place === null ? explain(message, owner) : `${place}: ${message}`;
    const help = place === null ? helpFor(message, owner) : "mend the imported file";
    bag.error("LTX6507", owner.span, what, { help });
  }
  return bag.sorted();
}

function helpFor(message: string, { name }: CheckedImport): string {
  return message.startsWith("Could not resolve")
    ? "correct the path; it starts at the folder of this file"
    : `export a function \`${name}\` from it`;
}

function explain(message: string, { name, from }: CheckedImport): string {
  if (message.startsWith("Could not resolve")) return `there is no file \`${from}\` beside this one`;
  if (message.startsWith("No matching export")) return `\`${from}\` exports no \`${name}\``;
  return message;
}
