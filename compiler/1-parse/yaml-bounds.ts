/** The tokens of a YAML text, cut off where it is larger than any sensible document: what lies beyond the bounds costs no time. */
import { Lexer, Parser, type CST } from "yaml";
import type { Bag } from "../diagnostics/bag.ts";
import type { SourceFile } from "../source/source-file.ts";

const maxCharacters = 500_000;
const maxLevels = 40;

/** Marks, scalars, comments, line breaks and spaces between them. The reader needs about 5 µs for each. */
const maxLexemes = 60_000;

/** Null, with a finding, where the text is too large, too deep, or begins with a directive. */
export function boundedTokens(file: SourceFile, bag: Bag): CST.Token[] | null {
  const { text } = file;
  if (text.length > maxCharacters) return tooLarge(0, bag, "is too large", `it may have ${maxCharacters} characters`);
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const start = parser.offset;
    for (const token of parser.next(lexeme)) tokens.push(token);
    const last = tokens.at(-1);
    if (last?.type === "directive") return directive(last.offset, last.source, text, bag);
    // Besides the values that are open, the stack holds their document.
    if (parser.stack.length > maxLevels + 1) return tooLarge(start, bag, "is too deeply nested");
    if (++count > maxLexemes) return tooLarge(start, bag, "has too many parts");
  }
  tokens.push(...parser.end());
  return tokens;
}

/** The line goes, and so does the `---` below it that it needs. */
function directive(start: number, source: string, text: string, bag: Bag): null {
  const { length } = /^[^\n]*\n?(?:---[ \t]*(?:\n|$))?/.exec(text.slice(start))?.[0] ?? source;
  const says = /^%YAML\b/.test(source)
    ? "the version of YAML is always the same here: 1.1 for run configs, as the official trainer reads them, and 1.2 for strategies; remove the line"
    : "remove the line, and write tags out where they are used";
  bag.error(
    "LTX1001",
    { start, end: start + source.trimEnd().length },
    `a \`${source.trimEnd()}\` directive cannot stand here`,
    {
      help: says,
      fix: { title: "remove the directive", edits: [{ span: { start, end: start + length }, text: "" }] },
    },
  );
  return null;
}

/** @param what is wrong with the document, as in "this document is too large" */
export function tooLarge(start: number, bag: Bag, what: string, help = "split it or write it more simply"): null {
  bag.error("LTX1009", { start, end: start }, `this document ${what}`, { help });
  return null;
}
