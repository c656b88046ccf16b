import { lineSpan, locate, positionAt, type SourceFile } from "../../source/source-file.ts";
import type { Span } from "../../source/span.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { displayWidth, visible } from "./display.ts";
import { summarize, type FileReport, type Summary } from "./report.ts";

type Paint = (text: string) => string;

/** The part of picocolors' `createColors()` that is used here. */
interface Colors {
  readonly bold: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly blue: Paint;
  readonly cyan: Paint;
}

const same: Paint = (text) => text;
export const noColors: Colors = { bold: same, red: same, yellow: same, blue: same, cyan: same };

/** Lines are cut around what they are shown for; of a range over many lines only both ends are shown. */
const maxWidth = 160;
const maxLines = 4;

/** All findings, with a blank line behind each, and how many there are; an empty text without findings. */
export function renderTerminal(reports: readonly FileReport[], colors: Colors = noColors): string {
  const blocks = reports.flatMap(({ file, diagnostics }) =>
    diagnostics.map((diagnostic) => `${renderDiagnostic(diagnostic, file, colors)}\n`),
  );
  return blocks.length === 0 ? "" : `${blocks.join("\n")}\n${renderSummary(summarize(reports))}\n`;
}

/** `2 errors, 1 warning` */
function renderSummary({ errors, warnings }: Summary): string {
  return [...count(errors, "error"), ...count(warnings, "warning")].join(", ") || "no findings";
}

function count(n: number, what: string): string[] {
  return n === 0 ? [] : [`${n} ${what}${n === 1 ? "" : "s"}`];
}

/** One finding, without a line break at its end. */
function renderDiagnostic(diagnostic: Diagnostic, file: SourceFile, colors: Colors): string {
  const { code, severity, message, help } = diagnostic;
  const strong = severity === "error" ? colors.red : colors.yellow;
  const parts = excerpts(diagnostic, file);
  const margin = " ".repeat(Math.max(1, ...parts.flatMap(({ rows }) => rows.map(({ line }) => String(line).length))));
  const bar = colors.blue("|");
  return [
    `${strong(colors.bold(`${severity}[${code}]`))}${colors.bold(`: ${visible(message)}`)}`,
    ...parts.flatMap(({ place, rows }, i) => [
      `${margin}${colors.blue(i === 0 ? "-->" : ":::")} ${visible(place)}`,
      ...(rows.length === 0 ? [] : [`${margin} ${bar}`]),
      ...rows.flatMap((row) => renderRow(row, margin, bar, strong, colors)),
    ]),
    ...(help === undefined ? [] : [`${margin} ${colors.blue("=")} ${colors.bold("help")}: ${helpLines(help, margin)}`]),
    `${margin} ${colors.blue("=")} ${colors.bold("explain")}: ltxc explain ${code}`,
  ].join("\n");
}

/** Steps, as in "(1) do this; (2) do that", each on a line of its own. */
const helpLines = (help: string, margin: string): string =>
  help
    .split(/; (?=\(\d\) )/)
    .map(visible)
    .join(`\n${margin}         `);

/** Part of one line that is underlined; offsets in the file. */
interface Mark extends Span {
  readonly primary: boolean;
  readonly message: string;
}

interface Row {
  readonly line: number;
  /** The visible part of the line. */
  readonly span: Span;
  readonly text: string;
  readonly marks: readonly Mark[];
}

function renderRow(row: Row, margin: string, bar: string, strong: Paint, colors: Colors): string[] {
  const number = colors.blue(String(row.line).padStart(margin.length));
  const text = visible(row.text);
  const source = `${number} ${bar}${text === "" ? "" : ` ${text}`}`;
  return [
    source,
    ...row.marks.map((mark) => `${margin} ${bar} ${underline(row, mark, mark.primary ? strong : colors.cyan)}`),
  ];
}

function underline(row: Row, mark: Mark, paint: Paint): string {
  const from = Math.max(mark.start, row.span.start) - row.span.start;
  const to = Math.min(mark.end, row.span.end) - row.span.start;
  const width = Math.max(1, displayWidth(row.text.slice(from, to)));
  const line = (mark.primary ? "^" : "-").repeat(width);
  const message = mark.message === "" ? "" : ` ${visible(mark.message)}`;
  return " ".repeat(displayWidth(row.text.slice(0, from))) + paint(line + message);
}

/** What a finding shows of one file. */
interface Excerpt {
  /** "a.strategy:3:5" */
  readonly place: string;
  readonly rows: readonly Row[];
}

/** The lines that a finding and its labels point at, from top to bottom; the finding's own file first. */
function excerpts({ span, labels }: Diagnostic, whole: SourceFile): Excerpt[] {
  const isPrimary = (other: Span) => other.start === span.start && other.end === span.end;
  const own = labels.find((label) => isPrimary(label.span));
  const spans = [
    { span, message: own?.message ?? "", primary: true },
    ...labels.filter((label) => label !== own).map((label) => ({ ...label, primary: false })),
  ];
  const byFile = new Map<SourceFile, Marked[]>();
  for (const marked of spans) {
    const { file, begin } = locate(whole, marked.span.start);
    const local = { start: marked.span.start - begin, end: marked.span.end - begin };
    byFile.set(file, [...(byFile.get(file) ?? []), { ...marked, span: local }]);
  }
  return [...byFile].map(([file, marked]) => excerptOf({ ...file, bases: [] }, marked));
}

interface Marked {
  readonly span: Span;
  readonly message: string;
  readonly primary: boolean;
}

function excerptOf(file: SourceFile, marked: readonly Marked[]): Excerpt {
  // A file that was not read, or has nothing in it: there is no line to show.
  if (file.text === "") return { place: file.path, rows: [] };
  const lines = new Map<number, Mark[]>();
  for (const mark of marked.flatMap(({ span, primary, message }) => marksOf(file, span, primary, message))) {
    const { line } = positionAt(file, mark.start);
    lines.set(line, [...(lines.get(line) ?? []), mark]);
  }
  const rows = [...lines].toSorted(([a], [b]) => a - b).map(([line, marks]) => row(file, line, marks));
  const { line, column } = positionAt(file, marked[0]?.span.start ?? 0);
  return { place: `${file.path}:${line}:${column}`, rows };
}

/** A range over several lines marks each of them; the message stands at the last. */
function marksOf(file: SourceFile, span: Span, primary: boolean, message: string): Mark[] {
  const first = positionAt(file, span.start).line;
  const last = Math.max(first, positionAt(file, Math.max(span.start, span.end - 1)).line);
  const lines = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const shown = lines.length <= maxLines ? lines : [first, last];
  return shown.flatMap((line) => {
    const bounds = lineSpan(file, line);
    const indent = /^[ \t]*/.exec(file.text.slice(bounds.start, bounds.end))?.[0].length ?? 0;
    const start = line === first ? span.start : bounds.start + indent;
    const end = line === last ? Math.min(span.end, bounds.end) : bounds.end;
    if (start >= end && line !== first) return [];
    return [{ start, end: Math.max(start, end), primary, message: line === last ? message : "" }];
  });
}

function row(file: SourceFile, line: number, marks: readonly Mark[]): Row {
  const whole = lineSpan(file, line);
  const anchor = Math.min(...marks.map((mark) => mark.start));
  const start = whole.end - whole.start <= maxWidth ? whole.start : Math.max(whole.start, anchor - maxWidth / 4);
  const span = { start, end: Math.min(whole.end, start + maxWidth) };
  return { line, span, text: file.text.slice(span.start, span.end), marks };
}
