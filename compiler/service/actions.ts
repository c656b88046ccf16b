/** Findings of a file, and what mends them. */
import { fixAll } from "../diagnostics/fix-all.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Library } from "../1-parse/inherit.ts";
import type { Edit } from "../source/edits.ts";
import { lineSpan, locate, positionAt } from "../source/source-file.ts";
import { entryOf } from "../1-parse/tree.ts";
import { analyse, type Analysis, type Source } from "./analysis.ts";

/** The findings with places in the file itself; one in a base stands where the file names that. */
export function findingsHere({ file, own, findings }: Analysis): readonly Diagnostic[] {
  const extended = own === null ? null : entryOf(own.tree, "extends");
  const inside = (offset: number) => offset <= file.text.length;
  return findings.map((finding) => {
    const labels = finding.labels.filter(({ span }) => inside(span.start));
    if (inside(finding.span.start)) return { ...finding, labels };
    const { line } = positionAt(file, finding.span.start);
    const { fix: _, ...rest } = finding;
    const span = extended?.value.span ?? { start: 0, end: 0 };
    return {
      ...rest,
      span,
      labels,
      message: `${locate(file, finding.span.start).file.path}:${line}: ${finding.message}`,
    };
  });
}

export interface Action {
  readonly title: string;
  readonly edits: readonly Edit[];
  readonly finding: Diagnostic;
  /** Whether it is certain to be what was meant. */
  readonly isPreferred: boolean;
}

/** What can be done about findings: their fixes, and for warnings a comment that allows them. */
export function actions(analysis: Analysis, found: readonly Diagnostic[]): readonly Action[] {
  return found.flatMap((finding): Action[] => {
    const { fix, severity } = finding;
    const own: Action[] = fix === undefined ? [] : [{ title: fix.title, edits: fix.edits, finding, isPreferred: true }];
    return severity === "warning" && finding.span.start <= analysis.file.text.length
      ? [...own, allowing(analysis, finding)]
      : own;
  });
}

/** A comment above the line: it should say why. */
function allowing({ file }: Analysis, finding: Diagnostic): Action {
  const { start } = lineSpan(file, positionAt(file, finding.span.start).line);
  const indent = /^ */.exec(file.text.slice(start))?.[0] ?? "";
  const edits = [{ span: { start, end: start }, text: `${indent}# allow: ${finding.code} \n` }];
  return { title: `allow ${finding.code} here, with a comment`, edits, finding, isPreferred: false };
}

/** The text with every certain fix made, also those that others uncover. */
export async function fixEverything(source: Source, library?: Library): Promise<string> {
  const { text } = await fixAll(source.text, (current) => findingsHere(analyse({ ...source, text: current }, library)));
  return text;
}
