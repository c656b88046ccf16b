import type { Span } from "./span.ts";

/** Both count from 1; a column is a count of UTF-16 units, as editors and SARIF count them. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One text with the name under which the user knows it. Lines end at LF, CRLF or a lone CR. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Offset of the first character of each line; never empty. */
  readonly lineStarts: readonly number[];
  /** The files that this one extends, from near to far. Their offsets lie behind this one's, each file's behind the one before. */
  readonly bases: readonly SourceFile[];
}

export function sourceFile(path: string, text: string, bases: readonly SourceFile[] = []): SourceFile {
  const lineStarts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) lineStarts.push(match.index + match[0].length);
  return { path, text, lineStarts, bases };
}

/** Where the offsets of one more file begin, behind this one's and those of its bases. */
export function endOffset({ text, bases }: SourceFile): number {
  return bases.reduce((end, base) => end + base.text.length + 1, text.length + 1);
}

/** Which of the files an offset lies in, and where the offsets of that file begin. */
export function locate(file: SourceFile, offset: number): { readonly file: SourceFile; readonly begin: number } {
  let begin = 0;
  for (const each of [file, ...file.bases]) {
    if (offset <= begin + each.text.length) return { file: each, begin };
    begin += each.text.length + 1;
  }
  return { file, begin: 0 };
}

/** The text of a range, which lies in one file. */
export function textAt(file: SourceFile, { start, end }: Span): string {
  const found = locate(file, start);
  return found.file.text.slice(start - found.begin, end - found.begin);
}

/** Index of the line that holds `offset`; offsets outside the file count as its first or last place. */
function lineIndexAt(file: SourceFile, offset: number): number {
  let low = 0;
  let high = file.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((file.lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function positionAt(whole: SourceFile, global: number): Position {
  const { file, begin } = locate(whole, global);
  const offset = global - begin;
  const inside = Math.min(Math.max(offset, 0), file.text.length);
  const index = lineIndexAt(file, inside);
  return { line: index + 1, column: inside - (file.lineStarts[index] ?? 0) + 1 };
}

/** The range of a line (counted from 1) without its line break. */
export function lineSpan(file: SourceFile, line: number): Span {
  const start = file.lineStarts[line - 1] ?? file.text.length;
  const next = file.lineStarts[line] ?? file.text.length;
  const text = file.text.slice(start, next);
  return { start, end: start + text.replace(/[\r\n]+$/, "").length };
}
