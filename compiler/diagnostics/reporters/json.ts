import type { SourceFile } from "../../source/source-file.ts";
import type { Edit } from "../../source/edits.ts";
import type { Span } from "../../source/span.ts";
import type { Diagnostic, Fix, Label } from "../diagnostic.ts";
import { placeOf, rangeOf, summarize, type FileReport, type Range, type Summary } from "./report.ts";

/** What `--json` prints. Fields are only ever added; a change of meaning changes `version`. */
interface JsonReport extends JsonExtras {
  readonly version: 1;
  readonly diagnostics: readonly JsonDiagnostic[];
  readonly summary: Summary;
}

/** What a command has to say beside its findings. */
export interface JsonExtras {
  /** What was corrected before, where that was asked for. */
  readonly fixed?: readonly string[];
  /** Each file that was named, in that order, also where nothing was found in it. */
  readonly named?: readonly { readonly path: string; readonly isRead: boolean }[];
  /** What the runs will be like whose configs were checked and are right. */
  readonly runs?: readonly { readonly path: string }[];
  /** The videos and pictures that latents became. */
  /** `ltxc encode`: what was made of which file. */
  readonly encoded?: readonly { readonly from: string; readonly path: string; readonly frames: number }[];
  readonly decoded?: readonly { readonly from: string; readonly path: string; readonly frames: number }[];
  /** The files that were verified. */
  readonly files?: readonly { readonly path: string; readonly status: "whole" | "damaged" }[];
}

interface JsonDiagnostic extends Diagnostic {
  readonly path: string;
  /** Lines and columns from 1, columns in UTF-16 units. */
  readonly range: Range;
  /** `path` where a label lies in another file than the finding. */
  readonly labels: readonly (Label & { readonly range: Range; readonly path?: string })[];
  readonly fix?: Fix & { readonly edits: readonly (Edit & { readonly range: Range })[] };
}

export function toJson(reports: readonly FileReport[]): JsonReport {
  const diagnostics = reports.flatMap(({ file, diagnostics }) => diagnostics.map((d) => withRanges(file, d)));
  return { version: 1, diagnostics, summary: summarize(reports) };
}

function withRanges(file: SourceFile, { fix, ...diagnostic }: Diagnostic): JsonDiagnostic {
  const { path, span } = placeOf(file, diagnostic.span);
  const ranged = <T extends { readonly span: Span }>(place: T) => {
    const own = placeOf(file, place.span);
    const elsewhere = own.path === path ? {} : { path: own.path };
    return { ...place, ...elsewhere, span: own.span, range: rangeOf(file, place.span) };
  };
  const labels = diagnostic.labels.map(ranged);
  const edits = fix === undefined ? {} : { fix: { ...fix, edits: fix.edits.map(ranged) } };
  return { path, ...diagnostic, span, range: rangeOf(file, diagnostic.span), labels, ...edits };
}

export function renderJson(reports: readonly FileReport[], more: JsonExtras = {}): string {
  return `${JSON.stringify({ ...toJson(reports), ...more }, null, 2)}\n`;
}
