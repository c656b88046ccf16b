/** The formatter: text in, text out. */
import { tooLarge } from "../1-parse/yaml-bounds.ts";
import { toPlain } from "../1-parse/tree.ts";
import { parseStrategy, type ParsedStrategy } from "../1-parse/strategy.ts";
import { validateStrategy } from "../2-check/schema.ts";
import { Bag } from "../diagnostics/bag.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { applyEdits } from "../source/edits.ts";
import { sourceFile, type SourceFile } from "../source/source-file.ts";
import { expressionEdits } from "./expressions.ts";
import { respelledNode, spellingEdits } from "./spelling.ts";
import { commentsOf, layOut } from "./layout.ts";

export interface Formatted {
  readonly file: SourceFile;
  /** Why a text cannot be formatted; nothing else is judged. */
  readonly diagnostics: readonly Diagnostic[];
  /** Null where the text cannot be parsed. */
  readonly text: string | null;
}

/**
 * Gives a strategy its one layout: indentation, spaces and blank lines. Order, comments, quotes and the spelling of numbers stay; in
 * version 2 of the language what can be written in two ways is written in one.
 * Throws where the result would mean something else, which would be a bug of the formatter.
 */
export function format({ path, text }: { readonly path: string; readonly text: string }): Formatted {
  const file = sourceFile(path, text);
  const bag = new Bag();
  const { tree, syntax } = parseStrategy(file, bag) ?? {};
  if (tree !== undefined && tree.kind !== "mapping") validateStrategy(tree, bag);
  if (bag.hasErrors) return { file, diagnostics: bag.sorted(), text: null };
  const lines = text.replaceAll("\r\n", "\n");
  const unix = syntax?.language?.value === 2 ? spelled(path, lines) : lines;
  // Without carriage returns it is smaller, if anything, and no spelling is longer than what it replaces.
  const before = parsed(path, unix) as ParsedStrategy;
  const result = layOut(applyEdits(unix, expressionEdits(unix, before.syntax)));
  const after = parsed(path, result);
  if (after === "too large") {
    tooLarge(0, bag, "is too large once it is laid out");
    return { file, diagnostics: bag.sorted(), text: null };
  }
  if (meaningOf(before, unix) !== meaningOf(after, result))
    throw new Error(`formatting would change the meaning of ${path}`);
  return { file, diagnostics: [], text: result };
}

/** With one spelling for what can be written in two ways. */
function spelled(path: string, text: string): string {
  const before = parsed(path, text) as ParsedStrategy;
  const edits = spellingEdits(text, before.syntax);
  if (edits.length === 0) return text;
  const result = applyEdits(text, edits);
  const [from, to] = [before, parsed(path, result) as ParsedStrategy].map(({ syntax }) =>
    JSON.stringify(syntax, (key, value: unknown) => (isPlace(key) ? undefined : respelledNode(value))),
  );
  if (from !== to) throw new Error(`another spelling would change the meaning of ${path}`);
  return result;
}

const isPlace = (key: string): boolean => /span$|^keySpans$/i.test(key);

/** Indentation makes some texts larger. */
function parsed(path: string, text: string): ParsedStrategy | "too large" {
  const bag = new Bag();
  const result = parseStrategy(sourceFile(path, text), bag);
  if (bag.sorted().some(({ code }) => code === "LTX1009")) return "too large";
  if (result === null || bag.hasErrors) throw new Error(`formatting would break ${path}`);
  return result;
}

/** What a text says: the syntax tree without places, the values of keys that it does not know, and the comments. */
export function meaningOf({ tree, syntax }: ParsedStrategy, text: string): string {
  const values = JSON.stringify(toPlain(tree)).replace(/\s+|\\[nt]/g, "");
  return JSON.stringify([values, commentsOf(text), syntax], (key, value: unknown) =>
    isPlace(key) ? undefined : value,
  );
}
