import type { SourceFile } from "../../source/source-file.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { rangeOf, summarize, type FileReport, type Range, type Summary } from "./report.ts";

/** What `--json` prints. Fields are only ever added; a change of meaning changes `version`. */
export interface JsonReport {
  readonly version: 1;
  readonly diagnostics: readonly JsonDiagnostic[];
  readonly summary: Summary;
}

export interface JsonDiagnostic extends Diagnostic {
  readonly path: string;
  /** Lines and columns from 1, columns in UTF-16 units. */
  readonly range: Range;
  readonly labels: readonly (Diagnostic["labels"][number] & { readonly range: Range })[];
}

export function toJson(reports: readonly FileReport[]): JsonReport {
  const diagnostics = reports.flatMap(({ file, diagnostics }) => diagnostics.map((d) => withRanges(file, d)));
  return { version: 1, diagnostics, summary: summarize(reports) };
}

function withRanges(file: SourceFile, diagnostic: Diagnostic): JsonDiagnostic {
  const labels = diagnostic.labels.map((label) => ({ ...label, range: rangeOf(file, label.span) }));
  return { path: file.path, ...diagnostic, range: rangeOf(file, diagnostic.span), labels };
}

export function renderJson(reports: readonly FileReport[]): string {
  return `${JSON.stringify(toJson(reports), null, 2)}\n`;
}
