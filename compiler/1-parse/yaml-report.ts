import type { CST, YAMLParseError } from "yaml";
import type { Bag } from "../diagnostics/bag.ts";
import { lineSpan, positionAt, type SourceFile, textAt } from "../source/source-file.ts";
import type { Span } from "../source/span.ts";
import { explainYamlError, unquotedTemplate } from "./yaml-errors.ts";

/**
 * Reports where a text breaks the rules of YAML. One finding per line, since the rest of a broken line follows from it; and a tab
 * makes the line above it look broken, too, and the keys below it look like parts of one value.
 */
export function reportYamlErrors(
  errors: readonly YAMLParseError[],
  tokens: readonly CST.Token[],
  file: SourceFile,
  bag: Bag,
): void {
  const lineOf = (offset: number) => positionAt(file, offset).line;
  const tabs = errors.filter((error) => error.code === "TAB_AS_INDENT");
  const lines = new Set(tabs.map((error) => lineOf(error.pos[0]) - 1));
  const firstTab = Math.min(...tabs.map((error) => error.pos[0]));
  const quotes = quotedTexts(tokens);
  let isTorn = false;
  for (const error of [...tabs, ...errors]) {
    const line = lineOf(error.pos[0]);
    const follows = /^(BLOCK_AS|MULTILINE)_IMPLICIT_KEY$/.test(error.code) && error.pos[0] > firstTab;
    if (lines.has(line) || follows) continue;
    const text = textAt(file, lineSpan(file, line));
    const isTemplate = unquotedTemplate(text) !== null;
    // Behind braces that a text has torn open, nothing is where it belongs.
    if (isTorn && !isTemplate) continue;
    isTorn ||= isTemplate;
    lines.add(line);
    const { code, message, help } = explainYamlError(error.code, error.message, text);
    bag.error(code, errorSpan(error, quotes, file), message, help === undefined ? {} : { help });
  }
}

/** Where quoted texts begin and end, in their order: a broken document may have as many errors as it has quotes. */
function quotedTexts(tokens: readonly CST.Token[]): readonly Span[] {
  const found: Span[] = [];
  for (const token of walk(tokens))
    if (token.type.endsWith("-quoted-scalar") && "source" in token)
      found.push({ start: token.offset, end: token.offset + token.source.length });
  return found.toSorted((a, b) => a.start - b.start);
}

/** An open quote is marked where it opens; the reader notices it only where the text ends. */
function errorSpan({ code, pos, message }: YAMLParseError, quotes: readonly Span[], file: SourceFile): Span {
  const limit = file.text.length;
  const start = Math.min(pos[0], limit);
  const open = code === "MISSING_CHAR" && message.includes("quote") ? firstEndingAt(quotes, start) : undefined;
  if (open !== undefined) return { start: open.start, end: open.start + 1 };
  return { start, end: Math.min(Math.max(pos[1], start), limit) };
}

/** The first of some ranges in their order that ends at an offset or behind it. */
function firstEndingAt(ranges: readonly Span[], offset: number): Span | undefined {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.end ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return ranges[low];
}

/** Every token, in no order of use to anyone; without recursion, since nothing bounds the depth of a broken text. */
function* walk(tokens: readonly CST.Token[]): Generator<CST.Token> {
  const stack = [...tokens];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    yield next;
    for (const child of childTokens(next)) stack.push(child);
  }
}

function childTokens(token: CST.Token): CST.Token[] {
  if (token.type === "document") return token.value === undefined ? [] : [token.value];
  if (!("items" in token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value].filter((child) => child !== undefined && child !== null));
}
