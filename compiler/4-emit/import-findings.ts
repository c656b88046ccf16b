import type { CheckedImport } from "../2-check/checked.ts";
import { Bag } from "../diagnostics/bag.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { ImportProblem } from "./bundle.ts";
import { impuritiesOf } from "./impurities.ts";

/** What is wrong with imported files, each at the import that names the file. */
export function importFindings(
  imports: readonly CheckedImport[],
  problems: readonly ImportProblem[],
): readonly Diagnostic[] {
  const bag = new Bag();
  for (const { place, message, imported, refusal } of problems) {
    const owner = imports.find(({ name }) => name === imported) ?? imports[0];
    if (owner === undefined) continue;
    const what = place === null ? explain(message, owner, refusal !== null) : `${place}: ${message}`;
    const help = refusal?.help ?? (place === null ? helpFor(message, owner) : "mend the imported file");
    bag.error(refusal?.code ?? "LTX6507", owner.span, what, { help });
  }
  return bag.sorted();
}

/** A file that a strategy imports, directly or through another one. */
interface ImportedFile {
  /** Relative to the strategy that imports it. */
  readonly name: string;
  readonly text: string;
}

/** Warnings about imported files of the project whose functions are not pure; each at the import of the file, or at the first one. */
export function impureImports(
  imports: readonly CheckedImport[],
  files: readonly ImportedFile[],
): readonly Diagnostic[] {
  const bag = new Bag();
  for (const { name, text } of files) {
    const owner = imports.find(({ from }) => from.replace(/^\.\//, "") === name) ?? imports[0];
    if (owner === undefined) continue;
    for (const { place, message, help } of impuritiesOf(text))
      bag.warning("LTX5050", owner.span, `\`${name}\` is not pure: ${message} (line ${place})`, { help });
  }
  return bag.sorted();
}

function helpFor(message: string, { name }: CheckedImport): string {
  return message.startsWith("Could not resolve")
    ? "correct the path; it starts at the folder of this file"
    : `export a function \`${name}\` from it`;
}

function explain(message: string, { name, from }: CheckedImport, isOurs: boolean): string {
  if (isOurs) return message.replace(/`[^`]*`/, `\`${from}\``);
  if (message.startsWith("Could not resolve")) return `there is no file \`${from}\` beside this one`;
  if (message.startsWith("No matching export")) return `\`${from}\` exports no \`${name}\``;
  return message;
}
