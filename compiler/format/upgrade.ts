/** Rewrites a strategy of version 1 of the language for version 2, with the same meaning. */
import { entryOf } from "../1-parse/tree.ts";
import { parseStrategy } from "../1-parse/strategy.ts";
import { plainDraws } from "../2-check/drawn-in-let.ts";
import { axesByPosition } from "../2-check/axis-by-name.ts";
import { Bag } from "../diagnostics/bag.ts";
import { applyEdits, type Edit } from "../source/edits.ts";
import { sourceFile } from "../source/source-file.ts";
import { unitEdits } from "./upgrade-units.ts";
import { format, type Formatted } from "./format.ts";

/** The newest version of the language. */
const version = 2;

/** Formatted for version 2, whose spelling it gets; a file of version 2 is only formatted. Nothing where it cannot be parsed. */
export function upgrade(given: { readonly path: string; readonly text: string }): Formatted {
  const before = format(given);
  if (before.text === null) return before;
  const parsed = parseStrategy(sourceFile(given.path, before.text), new Bag());
  if (parsed === null || parsed.tree.kind !== "mapping" || parsed.syntax.language?.value === version) return before;
  const edits: Edit[] = axesByPosition(parsed.syntax).map(({ span: { start } }) => ({
    span: { start, end: start },
    text: "axis=",
  }));
  for (const { callee } of parsed.syntax.lets.flatMap(plainDraws)) {
    // The span of a call in parentheses would be that of the parentheses.
    const end = callee.span.start + (/^randn\s*\(\s*\)/.exec(before.text.slice(callee.span.start))?.[0].length ?? 0);
    if (end > callee.span.start) edits.push({ span: { start: end, end }, text: " per sample" });
  }
  edits.push(...unitEdits(before.text, parsed.syntax));
  const language = entryOf(parsed.tree, "language");
  const name = entryOf(parsed.tree, "strategy");
  if (language !== null) edits.push({ span: language.value.span, text: String(version) });
  else edits.push(inserted(before.text, name?.value.span.end ?? 0));
  const after = format({ path: given.path, text: applyEdits(before.text, unique(edits)) });
  return { ...after, file: before.file };
}

/** A line behind that of the strategy's name, at the top where there is none. */
function inserted(text: string, nameEnd: number): Edit {
  const end = nameEnd === 0 ? -1 : text.indexOf("\n", nameEnd);
  const at = end < 0 ? (nameEnd === 0 ? 0 : text.length) : end + 1;
  return {
    span: { start: at, end: at },
    text: `${at === text.length && nameEnd > 0 && !text.endsWith("\n") ? "\n" : ""}language: ${version}\n`,
  };
}

/** An alias of YAML gives one text several uses. */
const unique = (edits: readonly Edit[]): Edit[] => [
  ...new Map(edits.map((edit) => [`${edit.span.start} ${edit.text}`, edit])).values(),
];
