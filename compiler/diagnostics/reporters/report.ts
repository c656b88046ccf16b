import { locate, positionAt, type Position, type SourceFile } from "../../source/source-file.ts";
import type { Span } from "../../source/span.ts";
import type { Diagnostic } from "../diagnostic.ts";

/** The findings of one file. Every reporter takes a list of these. */
export interface FileReport {
  readonly file: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Summary {
  readonly errors: number;
  readonly warnings: number;
}

export function summarize(reports: readonly FileReport[]): Summary {
  const all = reports.flatMap((report) => report.diagnostics);
  const errors = all.filter((diagnostic) => diagnostic.severity === "error").length;
  return { errors, warnings: all.length - errors };
}

/** `end` is the place behind the last character. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** The file that a range lies in, and the range within that file. */
export function placeOf(file: SourceFile, { start, end }: Span): { readonly path: string; readonly span: Span } {
  const { file: own, begin } = locate(file, start);
  return { path: own.path, span: { start: start - begin, end: end - begin } };
}

export function rangeOf(file: SourceFile, span: Span): Range {
  return { start: positionAt(file, span.start), end: positionAt(file, span.end) };
}
