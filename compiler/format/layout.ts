/** Lays a YAML text out: two spaces for each level, one between marks, at most one blank line; what is written stays in its order. */
import { yamlTokens, type Level, type YamlToken } from "../1-parse/yaml-tokens.ts";

/** @param text YAML without errors, its lines ended by line feeds */
export function layOut(text: string): string {
  const tokens = yamlTokens(text);
  const around = levelsAround(tokens);
  const parts = tokens.map((token, index) => {
    const previous = tokens[index - 1];
    const column = columnOf(text, token, around[index] ?? []);
    const gap = previous === undefined ? "" : gapBetween(text, previous, token, column);
    return gap + written(text, token);
  });
  const whole = parts.join("");
  return whole.endsWith("\n") ? whole : `${whole}\n`;
}

/** Comments of a text, in its order. */
export function commentsOf(text: string): string[] {
  return yamlTokens(text)
    .filter(({ kind }) => kind === "comment")
    .map(({ span }) => text.slice(span.start, span.end).trimEnd());
}

// -------------------------------------------------------------------------------------------------------------------- gaps

function gapBetween(text: string, a: YamlToken, b: YamlToken, column: number): string {
  const gap = text.slice(endOf(text, a), b.span.start);
  const breaks = gap.split("\n").length - 1;
  if (breaks > 0) return "\n".repeat(Math.min(breaks, 2)) + " ".repeat(column);
  // A block scalar that keeps its last line breaks has them in its text.
  return a.kind === "block-scalar" ? " ".repeat(column) : space(a, b, gap);
}

/** Between two tokens on one line. */
function space(a: YamlToken, b: YamlToken, gap: string): string {
  if (b.kind === "comment") return gap;
  if (a.kind === "open" || b.kind === "close" || b.kind === "comma") return "";
  // A colon could be part of an alias's or an anchor's name.
  if (b.kind === "colon") return a.kind === "alias" || a.kind === "property" ? " " : "";
  return " ";
}

// ----------------------------------------------------------------------------------------------------------------- columns

/** For each token the collections around the next content and around the last one before, each from the innermost outward. */
function levelsAround(tokens: readonly YamlToken[]): (readonly Level[])[] {
  const innermostFirst = (all: readonly YamlToken[]) => {
    let levels: readonly Level[] = [];
    return all.map((token) => (levels = token.kind === "comment" ? levels : token.levels.toReversed()));
  };
  const before = innermostFirst(tokens);
  const after = innermostFirst(tokens.toReversed()).toReversed();
  return tokens.map((_, index) => [...(after[index] ?? []), ...(before[index] ?? [])]);
}

function columnOf(text: string, token: YamlToken, around: readonly Level[]): number {
  return token.kind === "comment" && !token.inFlow ? commentColumn(text, token, around) : token.indent;
}

/**
 * A comment on a line of its own belongs to the deepest collection around it that begins no further to the right, the one of
 * what follows rather than the one of what stands before.
 */
function commentColumn(text: string, { span }: YamlToken, around: readonly Level[]): number {
  const column = span.start - (text.lastIndexOf("\n", span.start - 1) + 1);
  const [first, ...rest] = around.filter(({ from }) => from <= column);
  if (first === undefined) return 0;
  return rest.reduce((best, level) => (level.from > best.from ? level : best), first).to;
}

// ----------------------------------------------------------------------------------------------------------------- scalars

function written(text: string, token: YamlToken): string {
  const source = text.slice(token.span.start, endOf(text, token));
  if (token.kind === "block-scalar") return blockScalar(source, token);
  if (token.kind === "comment") return source.trimEnd();
  if (!source.includes("\n")) return source;
  // White space at the start of a line does not count in a scalar of several lines.
  return source.replace(/\n[ \t]*(?=[^\n])/g, `\n${" ".repeat(token.indent)}`).replace(/\n[ \t]+(?=\n)/g, "\n");
}

interface BlockHeader {
  /** How much further in than its parent the text is, where the header says so. */
  readonly explicit: number | null;
  readonly keepsEnd: boolean;
}

function headerOf(source: string): BlockHeader {
  const [, marks = ""] = /^[|>]([-+0-9]*)/.exec(source) ?? [];
  const digit = /\d/.exec(marks)?.[0];
  return { explicit: digit === undefined ? null : Number(digit), keepsEnd: marks.includes("+") };
}

function oldIndent(lines: readonly string[], explicit: number | null, { levels }: YamlToken): number {
  if (explicit !== null) return (levels.at(-1)?.from ?? 0) + explicit;
  const first = lines.find((line) => line.trim() !== "");
  return first === undefined
    ? lines.reduce((longest, line) => Math.max(longest, line.length), 0)
    : first.length - first.trimStart().length;
}

/** Where a token ends; the blank lines behind a block scalar belong to the gap, unless it keeps them. */
function endOf(text: string, token: YamlToken): number {
  if (token.kind !== "block-scalar") return token.span.end;
  const source = text.slice(token.span.start, token.span.end);
  const { explicit, keepsEnd } = headerOf(source);
  if (keepsEnd) return token.span.end;
  const lines = source.split("\n");
  const indent = oldIndent(lines.slice(1), explicit, token);
  const last = lines.findLastIndex((line, index) => index === 0 || line.trim() !== "" || line.length > indent);
  return token.span.start + lines.slice(0, last + 1).join("\n").length;
}

function blockScalar(source: string, token: YamlToken): string {
  const [header = "", ...lines] = source.split("\n");
  const { explicit } = headerOf(source);
  const from = oldIndent(lines, explicit, token);
  const to = (token.levels.at(-1)?.to ?? -2) + (explicit ?? 2);
  const moved = lines.map((line) => (line.length <= from ? line.trimEnd() : " ".repeat(to) + line.slice(from)));
  return [header.trimEnd(), ...moved].join("\n");
}
